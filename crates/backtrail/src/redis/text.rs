//! Commands without their arguments.

use redis::{Arg, Cmd};

/// Arguments of one command, and commands of one pipeline, that are told.
const MAX_PARTS: usize = 32;
/// Bytes of a key that are told.
const MAX_KEY_LEN_BYTES: usize = 128;
/// Bytes of a command's name.
const MAX_NAME_LEN_BYTES: usize = 32;

/// The parts of a command, its name first. One that is not known when it is described, as a cursor, is nothing.
pub(super) trait Parts<'c>: Iterator<Item = Option<&'c [u8]>> {}

impl<'c, I: Iterator<Item = Option<&'c [u8]>>> Parts<'c> for I {}

/// The parts of a command as the client has it.
pub(super) fn parts(command: &Cmd) -> impl Parts<'_> {
    command.args_iter().map(|argument| match argument {
        Arg::Simple(argument) => Some(argument),
        _ => None,
    })
}

/// A command without its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// In capitals. What is no name is not told.
    pub(super) name: String,
    /// The name, and `?` for each argument: of those that are keys, the keys, if they are to be shown.
    pub(super) text: String,
}

impl Told {
    pub(super) fn of<'c>(mut parts: impl Parts<'c>, shows_keys: bool) -> Self {
        let name = name(parts.next().flatten().unwrap_or_default());
        let keys = if shows_keys {
            Keys::of(&name)
        } else {
            Keys::None
        };
        let mut text = name.clone();
        for (index, argument) in parts.enumerate() {
            if index == MAX_PARTS {
                text.push_str(" …");
                break;
            }
            text.push(' ');
            match argument {
                Some(key) if keys.has(index) => push_key(&mut text, key),
                _ => text.push('?'),
            }
        }
        Self { name, text }
    }

    /// The commands of a pipeline, a line each, named by what they are together.
    pub(super) fn pipeline<'c, P: Parts<'c>>(
        commands: impl Iterator<Item = P>,
        is_transaction: bool,
        shows_keys: bool,
    ) -> Self {
        let mut text = String::new();
        for (index, command) in commands.enumerate() {
            if index > 0 {
                text.push('\n');
            }
            if index == MAX_PARTS {
                text.push('…');
                break;
            }
            text.push_str(&Self::of(command, shows_keys).text);
        }
        let name = if is_transaction { "MULTI" } else { "PIPELINE" };
        Self {
            name: name.to_owned(),
            text,
        }
    }
}

fn name(name: &[u8]) -> String {
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

    fn text(command: &Cmd, shows_keys: bool) -> String {
        Told::of(parts(command), shows_keys).text
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
        assert_eq!(name(b"client info"), "CLIENT");
        assert_eq!(name(b"json.get"), "JSON.GET");
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
        let told = Told::pipeline(commands.iter().map(parts), false, false);
        assert_eq!(told.text.lines().count(), MAX_PARTS + 1);
    }
}
