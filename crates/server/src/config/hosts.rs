//! Which names a listener answers to.

use super::value::{SettingValue, quoted};

/// Names that a browser may call this server by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AllowedHosts {
    /// `localhost` and addresses, where only this machine reaches the listener; else any.
    Local,
    /// Any.
    Any,
    /// These beside `localhost` and addresses.
    List(Vec<String>),
}

impl SettingValue for AllowedHosts {
    fn parse(text: &str) -> Result<Self, String> {
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        Self::parse_list(&items)
    }

    fn parse_list(items: &[String]) -> Result<Self, String> {
        match items {
            [] => return Ok(Self::Local),
            [one] if one.is_empty() => return Ok(Self::Local),
            [one] if one == "*" => return Ok(Self::Any),
            _ => {}
        }
        for item in items {
            let is_name = !item.is_empty()
                && item
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            if !is_name {
                return Err(format!(
                    "{item:?} is not a host's name such as \"traces.example\", without scheme and port; \"*\" alone allows any"
                ));
            }
        }
        Ok(Self::List(items.to_vec()))
    }

    fn to_toml(&self) -> String {
        match self {
            Self::Local => quoted(""),
            Self::Any => quoted("*"),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_without_scheme_and_port() {
        assert_eq!(AllowedHosts::parse(""), Ok(AllowedHosts::Local));
        assert_eq!(AllowedHosts::parse("*"), Ok(AllowedHosts::Any));
        let names = vec!["a.example".to_owned(), "b".to_owned()];
        let list = AllowedHosts::parse("a.example, b").unwrap();
        assert_eq!(list, AllowedHosts::List(names));
        assert_eq!(list.to_toml(), "[\"a.example\", \"b\"]");
        for text in [
            "http://a.example",
            "a.example:1",
            "a,*",
            "a,,b",
            "*.example",
        ] {
            assert!(AllowedHosts::parse(text).is_err(), "{text}");
        }
    }
}
