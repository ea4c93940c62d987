//! Names of functions in original sources, and sources that are made to break the parser.

use srcmap::functions::{MAX_TOKENS, Position, Scope, Scopes, scopes};

/// The name at each `§` of the source, which the parser does not see.
fn names(file: &str, marked: &str) -> Vec<Option<String>> {
    let source = marked.replace('§', "");
    let found = scopes(file, &source);
    let before = marked.split('§').collect::<Vec<_>>();
    let mut text = String::new();
    let mut names = Vec::new();
    for piece in &before[..before.len() - 1] {
        text.push_str(piece);
        let line = text.matches('\n').count() as u32;
        let column = text.rsplit('\n').next().unwrap().encode_utf16().count() as u32;
        names.push(found.name_at(line, column).map(str::to_owned));
    }
    names
}

fn assert_names(file: &str, marked: &str, expected: &[&str]) {
    let found = names(file, marked);
    let found: Vec<_> = found
        .iter()
        .map(|name| name.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(found, expected, "{marked}");
}

#[test]
fn a_function_bears_its_own_name_or_that_of_what_it_is_given_to() {
    for (source, name) in [
        ("function pay() { § }", "pay"),
        ("async function* pay() { § }", "pay"),
        ("const pay = function () { § }", "pay"),
        ("const pay = function own() { § }", "own"),
        ("const pay = (async () => { § })", "pay"),
        ("let pay; pay = x => §x;", "pay"),
        ("pay ??= x => §x;", "pay"),
        ("exports.pay = () => §1", "exports.pay"),
        ("module.exports.pay = () => §1", "exports.pay"),
        ("Cart.prototype.pay = function () { § }", "Cart.pay"),
        ("f(function () { § })", "-"),
        ("f(() => §1)", "-"),
        ("(function () { § })()", "-"),
        ("const { pay = () => §1 } = x", "pay"),
        ("function f(pay = () => §1) {}", "pay"),
        ("const o = { pay() { § } }", "pay"),
        ("const o = { pay: () => §1 }", "pay"),
        ("const o = { get pay() { § } }", "get pay"),
        ("const o = { set pay(x) { § } }", "set pay"),
        ("const o = { 'a b'() { § } }", "a b"),
        (
            "const o = { [Symbol.iterator]() { § } }",
            "[Symbol.iterator]",
        ),
        ("export default function () { § }", "default"),
        ("export default () => §1", "default"),
        ("export default class { pay() { § } }", "default.pay"),
        ("§x = 1", "-"),
    ] {
        assert_names("a.js", source, &[name]);
    }
}

#[test]
fn members_of_a_class_bear_its_name() {
    let source = "class Cart {
  static #count = 0;
  items = §load();
  field = () => { § };
  static make = function () { § };
  static { § }
  constructor() { §this.later = () => §1; }
  pay() { §items.map((item) => §item); }
  get total() { § }
  set total(x) { § }
  static of() { § }
  #secret() { § }
  ['com' + puted]() { § }
}
const Named = class { pay() { § } };";
    assert_names(
        "a.js",
        source,
        &[
            "Cart.<instance_members_initializer>",
            "Cart.field",
            "Cart.make",
            "Cart.<static_initializer>",
            "Cart",
            "Cart.later",
            "Cart.pay",
            "-",
            "Cart.get total",
            "Cart.set total",
            "Cart.of",
            "Cart.#secret",
            "Cart.['com' + puted]",
            "Named.pay",
        ],
    );
}

#[test]
fn the_innermost_function_counts_and_ends_where_it_ends() {
    let source = "§ function a() { § function b() { § } § }§ function c() { § }";
    assert_names("a.js", source, &["a", "a", "b", "a", "-", "c"]);
}

#[test]
fn types_and_jsx_are_read_by_the_name_of_the_file() {
    let typed = "abstract class Cart<T extends object> {
  abstract open(): void;
  pay(this: Cart<T>, x?: number): asserts x is number { § }
  constructor(private readonly a = <any>1) { § }
}
function over(x: string): void;
function over(x: any) { § }
const pay = ((x) => { § }) satisfies Pay as Pay;
namespace N { export function inner() { § } }
enum E { A = (() => §1)() }";
    let expected = ["Cart.pay", "Cart", "over", "pay", "inner", "-"];
    assert_names("webpack://shop/./src/cart.ts", typed, &expected);
    assert_names("src/cart.mts?abcd", typed, &expected);
    let jsx = "const Cart = () => { const add = () => §1; return <a b={() => §2}>Don't {§x}</a> };";
    for file in ["cart.tsx", "cart.jsx", "cart.js", "cart", ""] {
        assert_names(file, jsx, &["add", "-", "Cart"]);
    }
    for file in ["cart.vue", "cart.svelte"] {
        assert!(!scopes(file, jsx).is_complete());
    }
}

#[test]
fn columns_are_counted_in_utf16_units() {
    let source = "/* 𝒳é */ f(function a() { /* 𝒳𝒳 */ }); function b() {}";
    let found = scopes("a.js", source);
    let places: Vec<_> = found
        .iter()
        .map(|s| (s.start.column, s.end.column))
        .collect();
    assert_eq!(places, [(12, 39), (42, 57)]);
    assert_names(
        "a.js",
        "/* 𝒳 */ a =§ () =>§ 1\r\n/* é */ b = () => §1",
        &["-", "a", "b"],
    );
}

#[test]
fn a_broken_source_gives_what_was_read_or_nothing() {
    for source in [
        "function a() { ",
        "}}}}",
        "class { # }",
        "\0",
        "`${",
        "a b c <",
        "\u{feff}#!x",
    ] {
        let _ = scopes("a.ts", source);
    }
}

/// Each would end the process if it overflowed the stack.
#[test]
fn no_source_overflows_the_stack() {
    for (file, before, piece) in [
        ("a.js", "", "("),
        ("a.js", "", "["),
        ("a.js", "", "{"),
        ("a.js", "x=", "{a:"),
        ("a.js", "", "!"),
        ("a.js", "", "- "),
        ("a.js", "", "a=>"),
        ("a.js", "", "a?b:"),
        ("a.js", "", "a?"),
        ("a.js", "", "a="),
        ("a.js", "", "a+"),
        ("a.js", "", "a**"),
        ("a.js", "", "a."),
        ("a.js", "a", "()"),
        ("a.js", "a", "``"),
        ("a.js", "a", "[0]"),
        ("a.js", "", "f("),
        ("a.js", "", "new "),
        ("a.js", "", "await "),
        ("a.js", "", "`${"),
        ("a.js", "", "if(a)"),
        ("a.js", "", "if(a);else "),
        ("a.js", "", "for(;;)"),
        ("a.js", "", "a:"),
        ("a.js", "", "do "),
        ("a.js", "", "function f(){"),
        ("a.js", "", "(function(){"),
        ("a.js", "", "class A{a="),
        ("a.js", "x=", "class{a(){x="),
        ("a.js", "", "<a>"),
        ("a.js", "", "<a b=<a/>>{"),
        ("a.js", "var ", "[a="),
        ("a.js", "var ", "{a:"),
        ("a.js", "", "import("),
        ("a.ts", "", "<a>"),
        ("a.ts", "type A=", "A<"),
        ("a.ts", "type A=", "("),
        ("a.ts", "type A=", "["),
        ("a.ts", "type A=", "{a:"),
        ("a.ts", "type A=", "keyof "),
        ("a.ts", "type A=", "a extends b?"),
        ("a.ts", "type A=", "()=>"),
        ("a.ts", "type A=a", "[]"),
        ("a.ts", "type A=", "`${"),
        ("a.ts", "a", " as b"),
        ("a.ts", "a", "!"),
        ("a.ts", "", "namespace A{"),
        ("a.ts", "", "@a("),
    ] {
        let count = MAX_TOKENS / piece.len() - before.len();
        for source in [
            format!("{before}{}", piece.repeat(count)),
            closed(before, piece, count.min(MAX_TOKENS / 8)),
        ] {
            let _ = scopes(file, &source);
        }
    }
}

/// The same with its brackets closed, so that there is a tree to walk.
fn closed(before: &str, piece: &str, count: usize) -> String {
    let mut ends = String::new();
    for c in piece.chars().rev() {
        match c {
            '(' if !piece.contains(')') => ends.push(')'),
            '[' if !piece.contains(']') => ends.push(']'),
            '{' if !piece.contains('}') => ends.push('}'),
            '`' if piece.contains("${") => ends.push('`'),
            _ => {}
        }
    }
    format!("{before}{}a{}", piece.repeat(count), ends.repeat(count))
}

#[test]
fn a_source_with_too_many_tokens_gives_nothing_and_says_so() {
    let source = "f();".repeat(MAX_TOKENS / 4 + 1);
    let found = scopes("a.js", &source);
    assert_eq!((found.iter().len(), found.is_complete()), (0, false));
    assert!(scopes("a.js", "f();").is_complete());
}

#[test]
fn ranges_that_were_kept_give_the_same_answers() {
    let source = "function a() { (() => { function b() {} })() }\nclass C { d() {} }";
    let found = scopes("a.js", source);
    let mut kept: Vec<Scope> = found.iter().cloned().collect();
    kept.reverse();
    assert_eq!(Scopes::from_ranges(kept), found);
}

#[test]
fn ranges_that_cross_are_answered_without_a_panic() {
    let scope = |start, end| Scope {
        start: Position {
            line: 0,
            column: start,
        },
        end: Position {
            line: 0,
            column: end,
        },
        name: Some(format!("{start}-{end}")),
    };
    let found = Scopes::from_ranges(vec![scope(0, 5), scope(3, 9), scope(8, 2), scope(4, 4)]);
    for column in 0..12 {
        if let Some(scope) = found.at(0, column) {
            assert!(scope.start.column <= column && column < scope.end.column);
        }
    }
}
