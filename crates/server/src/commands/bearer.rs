//! The token that a command sends to a server.

use anyhow::Context;
use clap::Args;

use crate::auth::Secret;

/// Of a variable rather than a flag, which every user of the machine can see in the list of processes.
pub(crate) const VARIABLE: &str = "BACKTRAIL_TOKEN";

/// `--token`, or the variable.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TokenArg {
    /// A token for a server that asks for one; better given in the variable, for flags are seen in the list of processes [env: BACKTRAIL_TOKEN]
    #[arg(long, value_name = "TOKEN", global = true)]
    token: Option<Secret>,
}

/// Who a command says that it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bearer(Option<Secret>);

impl TokenArg {
    /// What requests shall carry.
    pub(crate) fn bearer(&self) -> anyhow::Result<Bearer> {
        if self.token.is_some() {
            return Ok(Bearer(self.token.clone()));
        }
        let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else {
            return Ok(Bearer(None));
        };
        let value = value.to_str().unwrap_or("\0");
        let secret = value.parse().context(VARIABLE)?;
        Ok(Bearer(Some(secret)))
    }
}

impl Bearer {
    /// The value of `Authorization`.
    pub(crate) fn header(&self) -> Option<String> {
        let secret = self.0.as_ref()?;
        Some(format!("Bearer {}", secret.reveal()))
    }

    /// Adds it to a request.
    pub(crate) fn add<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match self.header() {
            Some(value) => request.header("authorization", value),
            None => request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_no_debug_output() {
        let arg = TokenArg {
            token: Some(Secret::presented("sesame")),
        };
        assert_eq!(
            arg.bearer().unwrap().header().as_deref(),
            Some("Bearer sesame")
        );
        assert!(!format!("{arg:?} {:?}", arg.bearer()).contains("sesame"));
    }
}
