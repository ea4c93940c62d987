//! All bytes of a file that is finished, without a copy where the system can map files.

use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;

use memmap2::Mmap;

/// The bytes of a file, from [`Files::map`](crate::Files::map). Cheap to clone; valid also when the file has lost its name.
#[derive(Clone)]
pub struct FileBytes(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl FileBytes {
    /// A copy in memory.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }

    /// The file where the kernel has it.
    #[expect(
        unsafe_code,
        reason = "mapping is how a lookup in a file of megabytes reads a few kilobytes; there is no safe way in std"
    )]
    pub(crate) fn map(file: &fs::File) -> io::Result<Self> {
        // An empty mapping is an error on some systems.
        if file.metadata()?.len() == 0 {
            return Ok(Self::new(Vec::new()));
        }
        // SAFETY: the bytes must not change while they are borrowed. `Files::map` is only for files that are never written
        // to once they bear their name; the folder belongs to one process, which holds its lock; and a file that is
        // replaced or removed keeps its inode as long as this mapping lives.
        let mapped = unsafe { Mmap::map(file)? };
        Ok(Self(Arc::new(mapped)))
    }
}

impl AsRef<[u8]> for FileBytes {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBytes")
            .field("len", &self.as_ref().len())
            .finish()
    }
}
