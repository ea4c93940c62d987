//! Commands without their arguments.

use redis::{Arg, Cmd};

/// Arguments of one command, and commands of one pipeline, that are told.
const MAX_PARTS: usize = 32;
/// Bytes of a key that are told.
const MAX_KEY_LEN_BYTES: usize = 128;
/// Bytes of a command's name.
const MAX_NAME_LEN_BYTES: usize = 32;

/// The command's name in capitals. What is no name is not told.
pub(super) fn name(command: &Cmd) -> String {
    let name = match command.args_iter().next() {
        Some(Arg::Simple(name)) => name,
        _ => b"",
    };
    // A name with a subcommand may come as one argument.
    let name = name.split(|&byte| byte == b' ').next().unwrap_or_default();
    let is_name = (1..=MAX_NAME_LEN_BYTES).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || b"._-".contains(byte));
    if is_name {
        name.iter()
            .map(|byte| char::from(byte.to_ascii_uppercase()))
            .collect()
    } else {
        "_OTHER".to_owned()
    }
}

/// The command with `?` for each argument: of those that are keys, the keys, if they are to be shown.
pub(super) fn text(command: &Cmd, shows_keys: bool) -> String {
    let mut text = name(command);
    let keys = if shows_keys {
        Keys::of(&text)
    } else {
        Keys::None
    };
    for (index, argument) in command.args_iter().skip(1).enumerate() {
        if index == MAX_PARTS {
            text.push_str(" …");
            break;
        }
        text.push(' ');
        match argument {
            Arg::Simple(key) if keys.has(index) => push_key(&mut text, key),
            _ => text.push('?'),
        }
    }
    text
}

/// The commands of a pipeline, a line each.
pub(super) fn pipeline_text<'c>(
    commands: impl Iterator<Item = &'c Cmd>,
    shows_keys: bool,
) -> String {
    let mut pipeline = String::new();
    for (index, command) in commands.enumerate() {
        if index > 0 {
            pipeline.push('\n');
        }
        if index == MAX_PARTS {
            pipeline.push('…');
            break;
        }
        pipeline.push_str(&text(command, shows_keys));
    }
    pipeline
}

fn push_key(text: &mut String, key: &[u8]) {
    let end = key.len().min(MAX_KEY_LEN_BYTES);
    let shown = String::from_utf8_lossy(&key[..end]);
    text.extend(
        shown
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c }),
    );
    if end < key.len() {
        text.push('…');
    }
}

/// Which arguments of a command are keys. Of commands that are not listed none is: an argument that is taken for a key is told.
#[derive(Clone, Copy)]
enum Keys {
    None,
    First,
    All,
    EverySecond,
}

impl Keys {
    fn of(name: &str) -> Self {
        match name {
            "APPEND" | "BITCOUNT" | "BITPOS" | "DECR" | "DECRBY" | "DUMP" | "EXPIRE"
            | "EXPIREAT" | "GEOADD" | "GEODIST" | "GEOHASH" | "GEOPOS" | "GEOSEARCH" | "GET"
            | "GETBIT" | "GETDEL" | "GETEX" | "GETRANGE" | "GETSET" | "HDEL" | "HEXISTS"
            | "HGET" | "HGETALL" | "HINCRBY" | "HINCRBYFLOAT" | "HKEYS" | "HLEN" | "HMGET"
            | "HMSET" | "HSCAN" | "HSET" | "HSETNX" | "HVALS" | "INCR" | "INCRBY"
            | "INCRBYFLOAT" | "LINDEX" | "LINSERT" | "LLEN" | "LPOP" | "LPOS" | "LPUSH"
            | "LPUSHX" | "LRANGE" | "LREM" | "LSET" | "LTRIM" | "MOVE" | "PERSIST" | "PEXPIRE"
            | "PEXPIREAT" | "PFADD" | "PSETEX" | "PTTL" | "RESTORE" | "RPOP" | "RPUSH"
            | "RPUSHX" | "SADD" | "SCARD" | "SET" | "SETBIT" | "SETEX" | "SETNX" | "SETRANGE"
            | "SISMEMBER" | "SMEMBERS" | "SMISMEMBER" | "SORT" | "SPOP" | "SRANDMEMBER"
            | "SREM" | "SSCAN" | "STRLEN" | "TTL" | "TYPE" | "XACK" | "XADD" | "XDEL" | "XLEN"
            | "XRANGE" | "XREVRANGE" | "XTRIM" | "ZADD" | "ZCARD" | "ZCOUNT" | "ZINCRBY"
            | "ZPOPMAX" | "ZPOPMIN" | "ZRANGE" | "ZRANGEBYSCORE" | "ZRANK" | "ZREM"
            | "ZREMRANGEBYSCORE" | "ZREVRANGE" | "ZREVRANK" | "ZSCAN" | "ZSCORE" => Self::First,
            "DEL" | "EXISTS" | "MGET" | "PFCOUNT" | "PFMERGE" | "RENAME" | "RENAMENX" | "SDIFF"
            | "SDIFFSTORE" | "SINTER" | "SINTERSTORE" | "SUNION" | "SUNIONSTORE" | "TOUCH"
            | "UNLINK" | "WATCH" => Self::All,
            "MSET" | "MSETNX" => Self::EverySecond,
            _ => Self::None,
        }
    }

    fn has(self, index: usize) -> bool {
        match self {
            Self::None => false,
            Self::First => index == 0,
            Self::All => true,
            Self::EverySecond => index.is_multiple_of(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(parts: &[&str]) -> Cmd {
        let mut command = Cmd::new();
        for part in parts {
            command.arg(*part);
        }
        command
    }

    #[test]
    fn arguments_are_masked() {
        let set = command(&["set", "user:7", "secret", "EX", "60"]);
        assert_eq!(text(&set, false), "SET ? ? ? ?");
        assert_eq!(text(&set, true), "SET user:7 ? ? ?");
        assert_eq!(text(&command(&["AUTH", "ann", "x"]), true), "AUTH ? ?");
        assert_eq!(
            text(&command(&["MSET", "a", "1", "b", "2"]), true),
            "MSET a ? b ?"
        );
        assert_eq!(
            text(&command(&["DEL", "a\nb", "c"]), true),
            "DEL a\u{fffd}b c"
        );
    }

    #[test]
    fn what_is_no_name_is_not_told() {
        assert_eq!(text(&command(&["user:7 secret"]), true), "_OTHER");
        assert_eq!(text(&Cmd::new(), true), "_OTHER");
        assert_eq!(name(&command(&["client info"])), "CLIENT");
        assert_eq!(name(&command(&["json.get", "a"])), "JSON.GET");
    }

    #[test]
    fn long_commands_are_cut() {
        let mut get = command(&["MGET"]);
        for _ in 0..1_000 {
            get.arg("k".repeat(1_000));
        }
        let told = text(&get, true);
        assert!(told.ends_with('…') && told.len() < 5_000, "{}", told.len());
        let commands = vec![command(&["GET", "a"]); 1_000];
        assert_eq!(
            pipeline_text(commands.iter(), false).lines().count(),
            MAX_PARTS + 1
        );
    }
}
