//! The function, with its body in a span.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::visit::{Visit, visit_path_segment};
use syn::visit_mut::{VisitMut, visit_type_mut};
use syn::{
    AssocType, Attribute, Block, Expr, ExprAsync, ExprCall, GenericArgument, ItemFn, PathArguments,
    PathSegment, ReturnType, Signature, Stmt, Token, Type, Visibility,
};

use crate::options::Options;

/// The function in a span; an error that points at what is wrong.
pub(crate) fn expand(options: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let options: Options = syn::parse2(options)?;
    Parser::parse2(only_a_function, function.clone())?;
    let mut function: ItemFn = syn::parse2(function)?;
    if let Some(constness) = &function.sig.constness {
        let message = "a const function can't be traced: it may run in the compiler";
        return Err(syn::Error::new_spanned(constness, message));
    }
    let span = described(&options, &function.sig.ident);
    let body = if function.sig.asyncness.is_some() {
        awaited(&span, &function)
    } else if let Some(body) = returned_future(&function, &span) {
        body
    } else {
        called(&span, &function)
    };
    function.block = syn::parse2(quote!({ #body }))?;
    Ok(function.into_token_stream())
}

/// Says what is wrong with an item that is no function with a body. Errors within a function are `syn`'s to tell.
fn only_a_function(input: ParseStream<'_>) -> syn::Result<()> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    let start = input.span();
    let head = input.fork();
    match head.parse::<Signature>() {
        Ok(_) if head.peek(Token![;]) => {
            let message =
                "a method without a body can't be traced: put `#[traced]` on its implementations";
            return Err(syn::Error::new(start, message));
        }
        Err(_) if !begins_a_function(input) => {
            let message = "`#[traced]` is for functions and methods";
            return Err(syn::Error::new(start, message));
        }
        Ok(_) | Err(_) => {}
    }
    input.parse::<TokenStream>()?;
    Ok(())
}

fn begins_a_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek2(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![extern])
}

/// The description of the span: a `SpanBuilder`.
fn described(options: &Options, function: &Ident) -> TokenStream {
    let name = options.name.as_ref().map_or_else(
        || syn::ext::IdentExt::unraw(function).to_string(),
        syn::LitStr::value,
    );
    let mut span = quote!(::backtrail::span(#name));
    if let Some(kind) = &options.kind {
        span.extend(quote!(.kind(#kind)));
    }
    for attribute in &options.attributes {
        let (key, value) = (&attribute.key, &attribute.value);
        span.extend(quote!(.attribute(#key, #value)));
    }
    if let Some(ok_status) = &options.ok_status {
        span.extend(quote!(.ok_status(#ok_status)));
    }
    if options.is_root {
        span.extend(quote!(.root()));
    }
    span
}

/// The body of an asynchronous function.
fn awaited(span: &TokenStream, function: &ItemFn) -> TokenStream {
    let (described, future) = (private("span"), private("future"));
    let traced = traced(&described, &future);
    let returns = &function.sig.output;
    let never = is_never(returns).then(never);
    let body = anchored(
        never.clone().or_else(|| returned(returns)).as_ref(),
        &function.block,
    );
    let last = match never {
        Some(_) => quote!(match #traced.await {}),
        None => quote!(#traced.await),
    };
    quote! {
        let #described = #span;
        let #future = async move { #body };
        #last
    }
}

/// A future in its span. How it ended is told by functions that are made here, where its output is known.
fn traced(described: &Ident, future: &Ident) -> TokenStream {
    let (output, span) = (private("output"), private("ended"));
    let uses = probes();
    quote! {
        ::backtrail::__private::traced(
            #described,
            #future,
            |#output, #span| { #uses (&&&&::backtrail::__private::Probe(#output)).record(#span) },
            |#output, #span| { #uses (&&&&::backtrail::__private::Probe(#output)).record_failure(#span) },
        )
    }
}

/// The body of a function that is not asynchronous.
fn called(span: &TokenStream, function: &ItemFn) -> TokenStream {
    let (output, ended) = (private("output"), private("ended"));
    let (uses, block) = (probes(), &function.block);
    if is_never(&function.sig.output) {
        let never = never();
        return quote!(match ::backtrail::__private::called(#span, move || -> #never #block).0 {});
    }
    let returns = returned(&function.sig.output).map(|kind| quote!(-> #kind));
    quote! {
        let (#output, #ended) = ::backtrail::__private::called(#span, move || #returns #block);
        {
            #uses
            if #ended.sets_ok_status() {
                (&&&&::backtrail::__private::Probe(&#output)).record(#ended.span());
            } else {
                (&&&&::backtrail::__private::Probe(&#output)).record_failure(#ended.span());
            }
        }
        #ended.end();
        #output
    }
}

/// The body of a function that returns a future that it makes last: `async move { … }` or `Box::pin(async move { … })`, as the
/// attribute of `async-trait` writes it. Not the making is traced, but the future.
fn returned_future(function: &ItemFn, span: &TokenStream) -> Option<TokenStream> {
    let ReturnType::Type(_, returns) = &function.sig.output else {
        return None;
    };
    let (Stmt::Expr(last, None), before) = function.block.stmts.split_last()? else {
        return None;
    };
    let (future, pin) = match last {
        Expr::Async(future) if matches!(**returns, Type::ImplTrait(_)) => (future, None),
        Expr::Call(call) => (pinned(call)?, Some(&call.func)),
        _ => return None,
    };
    let described = private("span");
    let ExprAsync {
        attrs,
        capture,
        block,
        ..
    } = future;
    // The description is moved in, also where the block borrows: then the block's own borrows are those of a block within.
    let inner = private("future");
    let traced = traced(&described, &inner);
    let body = anchored(output_of_future(returns).as_ref(), block);
    let outer = quote! {
        #(#attrs)* async move {
            let #inner = async #capture { #body };
            #traced.await
        }
    };
    let last = match pin {
        Some(pin) => quote!(#pin(#outer)),
        None => outer,
    };
    Some(quote! {
        let #described = #span;
        #(#before)*
        #last
    })
}

fn pinned(call: &ExprCall) -> Option<&ExprAsync> {
    let Expr::Path(path) = &*call.func else {
        return None;
    };
    let mut names = path.path.segments.iter().rev();
    let is_box_pin = names.next()?.ident == "pin" && names.next()?.ident == "Box";
    match call.args.first()? {
        Expr::Async(future) if is_box_pin && call.args.len() == 1 => Some(future),
        _ => None,
    }
}

fn is_never(returns: &ReturnType) -> bool {
    matches!(returns, ReturnType::Type(_, kind) if matches!(**kind, Type::Never(_)))
}

/// What code that never returns is said to return: `!` can't be written but as the type of a function.
fn never() -> Type {
    syn::parse_quote!(::core::convert::Infallible)
}

/// What a function returns, where that can be written.
fn returned(returns: &ReturnType) -> Option<Type> {
    match returns {
        ReturnType::Default => Some(syn::parse_quote!(())),
        ReturnType::Type(_, kind) => nameable(kind),
    }
}

/// `T` of `Future<Output = T>` and of `BoxFuture<'_, T>`.
fn output_of_future(returns: &Type) -> Option<Type> {
    struct Found(Option<Type>);
    impl<'a> Visit<'a> for Found {
        fn visit_assoc_type(&mut self, binding: &'a AssocType) {
            if binding.ident == "Output" && self.0.is_none() {
                self.0 = Some(binding.ty.clone());
            }
        }

        fn visit_path_segment(&mut self, segment: &'a PathSegment) {
            let is_boxed = segment.ident == "BoxFuture" || segment.ident == "LocalBoxFuture";
            if let (true, None, PathArguments::AngleBracketed(list)) =
                (is_boxed, &self.0, &segment.arguments)
                && let Some(GenericArgument::Type(kind)) = list.args.last()
            {
                self.0 = Some(kind.clone());
            }
            visit_path_segment(self, segment);
        }
    }
    let mut found = Found(None);
    found.visit_type(returns);
    nameable(&found.0?)
}

/// The code of a block with the type of what it returns. It is not in braces of its own, which the compiler would call unused in the service's
/// code; and items stay first, where lints want them.
fn anchored(output: Option<&Type>, block: &Block) -> TokenStream {
    let anchor = anchor(output);
    let is_item = |stmt: &&Stmt| matches!(stmt, Stmt::Item(_));
    let (items, rest) = block
        .stmts
        .split_at(block.stmts.iter().take_while(is_item).count());
    quote!(#(#items)* #anchor #(#rest)*)
}

/// Tells an `async` block the type of what it returns, so that `?` and coercions in it are what they are in the function.
fn anchor(output: Option<&Type>) -> TokenStream {
    let Some(kind) = output else {
        return TokenStream::new();
    };
    let never = private("never");
    quote! {
        #[allow(
            unknown_lints,
            unreachable_code,
            clippy::diverging_sub_expression,
            clippy::empty_loop,
            clippy::let_unit_value,
            clippy::needless_return,
            clippy::unreachable,
            reason = "it names the type, and never runs"
        )]
        if false {
            let #never: #kind = loop {};
            return #never;
        }
    }
}

/// The type, with `_` where it is `impl Trait`; nothing where no type can be written.
fn nameable(kind: &Type) -> Option<Type> {
    struct Unnamed;
    impl VisitMut for Unnamed {
        fn visit_type_mut(&mut self, kind: &mut Type) {
            if matches!(kind, Type::ImplTrait(_)) {
                *kind = Type::Infer(syn::TypeInfer {
                    underscore_token: <Token![_]>::default(),
                });
            } else {
                visit_type_mut(self, kind);
            }
        }
    }
    if matches!(kind, Type::ImplTrait(_) | Type::Never(_)) {
        return None;
    }
    let mut kind = kind.clone();
    Unnamed.visit_type_mut(&mut kind);
    Some(kind)
}

fn probes() -> TokenStream {
    quote! {
        #[allow(unused_imports, reason = "which of them is used depends on the type")]
        use ::backtrail::__private::{
            RecordAnything as _, RecordOther as _, RecordOutcome as _, RecordText as _,
        };
    }
}

/// A name that the function's own code can't see.
fn private(name: &str) -> Ident {
    Ident::new(&format!("__backtrail_{name}"), Span::mixed_site())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &str, item: &str) -> String {
        match expand(options.parse().unwrap(), item.parse().unwrap()) {
            Ok(tokens) => panic!("it is accepted: {tokens}"),
            Err(error) => error.to_string(),
        }
    }

    fn expanded(options: &str, item: &str) -> String {
        expand(options.parse().unwrap(), item.parse().unwrap())
            .unwrap()
            .to_string()
    }

    #[test]
    fn what_is_no_function_is_refused() {
        for item in [
            "struct Order;",
            "pub struct Order { fetch: fn (u64) -> u64 }",
            "impl Order { fn load() {} }",
            "trait Load { fn load(&self); }",
            "const A: u64 = 1;",
            "mod a { fn b() {} }",
        ] {
            assert_eq!(
                refusal("", item),
                "`#[traced]` is for functions and methods",
                "{item}"
            );
        }
    }

    #[test]
    fn a_const_function_is_refused() {
        assert_eq!(
            refusal("", "const fn one() -> u64 { 1 }"),
            "a const function can't be traced: it may run in the compiler"
        );
    }

    #[test]
    fn a_method_without_a_body_is_refused() {
        assert_eq!(
            refusal("", "async fn load(&self) -> u64;"),
            "a method without a body can't be traced: put `#[traced]` on its implementations"
        );
    }

    #[test]
    fn a_bad_option_is_refused_before_the_function_is_looked_at() {
        assert!(refusal("leve = 1", "struct Order;").starts_with("there is no option `leve`"));
    }

    #[test]
    fn the_signature_and_the_attributes_stay_as_they_are() {
        let tokens = expanded(
            "",
            "#[inline] pub(crate) async fn load<T: Clone>(&self, mut id: T) -> Result<impl Sized, ()> where T: Send { Ok(id) }",
        );
        assert!(
            tokens.starts_with(
                "# [inline] pub (crate) async fn load < T : Clone > (& self , mut id : T) -> Result < impl Sized , () > where T : Send {"
            ),
            "{tokens}"
        );
        assert!(tokens.contains(": Result < _ , () > = loop"), "{tokens}");
    }

    #[test]
    fn the_name_of_a_function_is_the_name_of_its_span() {
        assert!(expanded("", "fn r#match() {}").contains("span (\"match\")"));
        assert!(expanded("name = \"a b\"", "fn c() {}").contains("span (\"a b\")"));
    }
}
