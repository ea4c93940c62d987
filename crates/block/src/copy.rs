//! Copies a block file by file, and checks each byte on its way.

use std::path::Path;

use host::Host;

use crate::checksum::PIECE_BYTES;
use crate::footer::Footer;
use crate::read::read_all;
use crate::write::FOOTER_FILE;
use crate::{BlockError, BlockMeta};

/// Copies a block from one window's folder to another's and makes the copy durable, its folder included. What was damaged before is not copied: that
/// is an error. `on_bytes` is told how many bytes were copied, again and again.
pub fn copy(
    host: &Host,
    from_window_dir: &Path,
    to_window_dir: &Path,
    meta: &BlockMeta,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<(), BlockError> {
    let (from, to) = (
        from_window_dir.join(meta.id.as_str()),
        to_window_dir.join(meta.id.as_str()),
    );
    let path = from.join(FOOTER_FILE);
    let footer = read_all(host, &path)?;
    if crc32c::crc32c(&footer) != meta.footer_crc32c {
        let reason = "its checksum is not the one in the manifest".to_owned();
        return Err(BlockError::Damaged { path, reason });
    }
    host.files.create_dir_all(&to).map_err(io(&to))?;
    for part in Footer::decode(&path, &footer)?.parts {
        copy_part(
            host,
            &from.join(&part.name),
            &to.join(&part.name),
            part.len,
            &part.checksums,
            on_bytes,
        )?;
    }
    let path = to.join(FOOTER_FILE);
    let file = host.files.create_new(&path).map_err(io(&path))?;
    file.write_all_at(&footer, 0).map_err(io(&path))?;
    file.sync_data().map_err(io(&path))?;
    on_bytes(footer.len() as u64);
    host.files.sync_dir(&to).map_err(io(&to))?;
    host.files
        .sync_dir(to_window_dir)
        .map_err(io(to_window_dir))
}

/// Gives a block's files a second name in another window's folder, durable like [`copy`]: a block never changes, so two folders may share one.
/// `false` when the file system can't, or the block is not there; nothing is left behind then.
pub fn link(
    host: &Host,
    from_window_dir: &Path,
    to_window_dir: &Path,
    meta: &BlockMeta,
) -> Result<bool, BlockError> {
    let (from, to) = (
        from_window_dir.join(meta.id.as_str()),
        to_window_dir.join(meta.id.as_str()),
    );
    let path = from.join(FOOTER_FILE);
    let is_the_same =
        read_all(host, &path).is_ok_and(|footer| crc32c::crc32c(&footer) == meta.footer_crc32c);
    if !is_the_same {
        return Ok(false);
    }
    host.files.create_dir_all(&to).map_err(io(&to))?;
    for entry in host.files.list(&from).map_err(io(&from))? {
        let linked = host
            .files
            .link_new(&from.join(&entry.name), &to.join(&entry.name));
        if linked.is_err() {
            host.files.remove_dir_all(&to).map_err(io(&to))?;
            return Ok(false);
        }
    }
    host.files.sync_dir(&to).map_err(io(&to))?;
    host.files
        .sync_dir(to_window_dir)
        .map_err(io(to_window_dir))?;
    Ok(true)
}

fn copy_part(
    host: &Host,
    from: &Path,
    to: &Path,
    len: u64,
    checksums: &[u32],
    on_bytes: &mut dyn FnMut(u64),
) -> Result<(), BlockError> {
    let damaged = |reason: String| BlockError::Damaged {
        path: from.to_owned(),
        reason,
    };
    let source = host.files.open(from).map_err(io(from))?;
    let found = source.len().map_err(io(from))?;
    if found != len || checksums.len() as u64 != len.div_ceil(PIECE_BYTES as u64) {
        return Err(damaged(format!(
            "it has {found} bytes and was written with {len}"
        )));
    }
    let target = host.files.create_new(to).map_err(io(to))?;
    let mut piece = Vec::new();
    for (index, checksum) in checksums.iter().enumerate() {
        let offset = (index * PIECE_BYTES) as u64;
        piece.resize((len - offset).min(PIECE_BYTES as u64) as usize, 0);
        source.read_exact_at(&mut piece, offset).map_err(io(from))?;
        if crc32c::crc32c(&piece) != *checksum {
            return Err(damaged(format!(
                "checksum differs in the 64 KiB at offset {offset}"
            )));
        }
        target.write_all_at(&piece, offset).map_err(io(to))?;
        on_bytes(piece.len() as u64);
    }
    target.sync_data().map_err(io(to))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> BlockError + use<> {
    let path = path.to_owned();
    move |source| BlockError::Io {
        path: path.clone(),
        source,
    }
}
