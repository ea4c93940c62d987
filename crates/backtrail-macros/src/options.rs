//! What stands in the brackets of `#[traced(…)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitStr, Token, parenthesized};

/// The options, as they were written.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<Kind>,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) ok_status: Option<LitBool>,
    pub(crate) is_root: bool,
}

/// The name of a variant of `SpanKind`, where it was written.
pub(crate) struct Kind(Ident);

/// A key and the expression of its value.
pub(crate) struct Attribute {
    pub(crate) key: LitStr,
    pub(crate) value: Expr,
}

const KNOWN: &str =
    "`name = \"…\"`, `kind = …`, `attributes(key = value, …)`, `ok_status = true|false` and `root`";

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        let mut seen: Vec<String> = Vec::new();
        while !input.is_empty() {
            let option = input
                .call(Ident::parse_any)
                .map_err(|error| syn::Error::new(error.span(), format!("expected {KNOWN}")))?;
            let name = option.to_string();
            options.read(&option, &name, input)?;
            if seen.contains(&name) {
                let message = format!("`{name}` is there twice");
                return Err(syn::Error::new(option.span(), message));
            }
            seen.push(name);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn read(&mut self, option: &Ident, name: &str, input: ParseStream<'_>) -> syn::Result<()> {
        match name {
            "name" => {
                input.parse::<Token![=]>()?;
                self.name = Some(input.parse()?);
            }
            "kind" => {
                input.parse::<Token![=]>()?;
                self.kind = Some(input.parse()?);
            }
            "attributes" => {
                let list;
                parenthesized!(list in input);
                let list = Punctuated::<Attribute, Token![,]>::parse_terminated(&list)?;
                self.attributes = list.into_iter().collect();
            }
            "ok_status" => {
                input.parse::<Token![=]>()?;
                self.ok_status = Some(input.parse()?);
            }
            "root" => self.is_root = true,
            _ => {
                let message = format!("there is no option `{name}`: known are {KNOWN}");
                return Err(syn::Error::new(option.span(), message));
            }
        }
        Ok(())
    }
}

impl Parse for Kind {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let kind = input.call(Ident::parse_any)?;
        let variant = match kind.to_string().as_str() {
            "client" => "Client",
            "server" => "Server",
            "producer" => "Producer",
            "consumer" => "Consumer",
            "internal" => "Internal",
            _ => {
                let message = format!(
                    "there is no kind `{kind}`: known are client, server, producer, consumer and internal"
                );
                return Err(syn::Error::new(kind.span(), message));
            }
        };
        Ok(Self(Ident::new(variant, Span::mixed_site())))
    }
}

impl ToTokens for Kind {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let variant = &self.0;
        tokens.extend(quote!(::backtrail::SpanKind::#variant));
    }
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = if input.peek(LitStr) {
            input.parse()?
        } else {
            dotted(input)?
        };
        input.parse::<Token![=]>()?;
        Ok(Self {
            key,
            value: input.parse()?,
        })
    }
}

/// `order.id`; keywords are names here, as in `error.type`.
fn dotted(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let first = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), "expected a key: `order.id` or `\"order.id\"`")
    })?;
    let mut key = first.unraw().to_string();
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        key.push('.');
        key.push_str(&input.call(Ident::parse_any)?.unraw().to_string());
    }
    Ok(LitStr::new(&key, first.span()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str) -> Result<Options, String> {
        syn::parse_str(options).map_err(|error| error.to_string())
    }

    fn refusal(options: &str) -> String {
        match read(options) {
            Ok(_) => panic!("`{options}` is accepted"),
            Err(error) => error,
        }
    }

    #[test]
    fn every_option_is_read() {
        let options = read(
            r#"name = "load order", kind = client, attributes(order.id = id, error.type = "x", "other key" = a + b(1, 2)), ok_status = false, root,"#,
        )
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "load order");
        assert_eq!(
            options.kind.to_token_stream().to_string(),
            ":: backtrail :: SpanKind :: Client"
        );
        let attributes: Vec<_> = options
            .attributes
            .iter()
            .map(|each| (each.key.value(), each.value.to_token_stream().to_string()))
            .collect();
        assert_eq!(
            attributes,
            [
                ("order.id".to_owned(), "id".to_owned()),
                ("error.type".to_owned(), "\"x\"".to_owned()),
                ("other key".to_owned(), "a + b (1 , 2)".to_owned()),
            ]
        );
        assert!(!options.ok_status.unwrap().value);
        assert!(options.is_root);
        assert!(!read("").unwrap().is_root);
    }

    #[test]
    fn an_unknown_option_is_refused_with_those_that_are_known() {
        assert_eq!(
            refusal("level = \"info\""),
            "there is no option `level`: known are `name = \"…\"`, `kind = …`, `attributes(key = value, …)`, `ok_status = true|false` and `root`"
        );
        assert!(refusal("\"load\"").starts_with("expected `name"));
    }

    #[test]
    fn an_unknown_kind_is_refused_with_those_that_are_known() {
        assert_eq!(
            refusal("kind = remote"),
            "there is no kind `remote`: known are client, server, producer, consumer and internal"
        );
    }

    #[test]
    fn an_option_that_is_there_twice_is_refused() {
        assert_eq!(refusal("root, root"), "`root` is there twice");
        assert_eq!(
            refusal("name = \"a\", name = \"b\""),
            "`name` is there twice"
        );
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert_eq!(
            refusal("attributes(1 = id)"),
            "expected a key: `order.id` or `\"order.id\"`"
        );
        assert_eq!(refusal("attributes(order.id)"), "expected `=`");
    }
}
