//! Commands as they are sent.
//!
//! Source: Redis serialization protocol, "Sending commands to a Redis server": an array of bulk strings.

/// The commands in some bytes, each as its parts. It ends before what is no command.
pub(super) fn commands(bytes: &[u8]) -> Commands<'_> {
    Commands { rest: bytes }
}

#[derive(Debug, Clone)]
pub(super) struct Commands<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for Commands<'b> {
    type Item = Arguments<'b>;

    fn next(&mut self) -> Option<Arguments<'b>> {
        let (len, rest) = number(self.rest, b'*')?;
        let arguments = Arguments { len, rest };
        let mut end = arguments.clone();
        let whole = end.by_ref().count();
        if whole < len {
            return None;
        }
        self.rest = end.rest;
        Some(arguments)
    }
}

/// The name of a command and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Arguments<'b> {
    len: usize,
    rest: &'b [u8],
}

impl<'b> Iterator for Arguments<'b> {
    type Item = Option<&'b [u8]>;

    fn next(&mut self) -> Option<Option<&'b [u8]>> {
        self.len = self.len.checked_sub(1)?;
        let (len, rest) = number(self.rest, b'$')?;
        let (argument, rest) = rest.split_at_checked(len)?;
        self.rest = rest.strip_prefix(b"\r\n")?;
        Some(Some(argument))
    }
}

/// The number in a line that begins with this mark, and what follows the line.
fn number(bytes: &[u8], mark: u8) -> Option<(usize, &[u8])> {
    let rest = bytes.strip_prefix(&[mark])?;
    let end = rest.iter().position(|&byte| byte == b'\r')?;
    let (digits, rest) = rest.split_at(end);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest.strip_prefix(b"\r\n")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use redis::Cmd;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
        commands(bytes)
            .map(|command| command.flatten().map(<[u8]>::to_vec).collect())
            .collect()
    }

    #[test]
    fn what_is_cut_off_is_no_command() {
        let whole = b"*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
        assert_eq!(read(whole).len(), 2);
        for len in 0..whole.len() {
            let expected = usize::from(len >= 14);
            assert_eq!(read(&whole[..len]).len(), expected, "{len}");
        }
        for bytes in [&b"PING\r\n"[..], b"*-1\r\n", b"*99999999999999\r\n$1\r\n"] {
            assert!(read(bytes).is_empty());
        }
    }

    proptest! {
        #[test]
        fn what_the_client_packs_is_read_back(
            sent in prop::collection::vec(
                prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 1..6),
                0..6,
            ),
        ) {
            let mut bytes = Vec::new();
            for arguments in &sent {
                let mut command = Cmd::new();
                for argument in arguments {
                    command.arg(argument.as_slice());
                }
                bytes.extend(command.get_packed_command());
            }
            prop_assert_eq!(read(&bytes), sent);
        }

        #[test]
        fn any_bytes_are_taken(bytes in "[*$0-9\r\n a]{0,40}") {
            read(bytes.as_bytes());
        }
    }
}
