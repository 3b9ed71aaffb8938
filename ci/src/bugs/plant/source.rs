//! A source file and the functions in it: where each stands, where its body is, and what is left without
//! the bodies.
//!
//! Functions inside of functions belong to their bodies, and what is only compiled for tests is no
//! function here. Code that a macro makes is not looked into.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Signature};

/// Names a function of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// What it stands in: modules, `impl …`, `trait …`.
    pub(super) container: Vec<String>,
    pub(super) name: String,
    /// Among those of the same name there, which may be for different builds.
    nth: usize,
}

/// A function with a body.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) key: Key,
    /// With its attributes and its documentation.
    pub(super) whole: Range<usize>,
    /// With its braces.
    pub(super) body: Range<usize>,
    /// The word `const` before it.
    pub(super) constness: Option<Range<usize>>,
    /// Whether it stands in the implementation of a trait, or in a trait.
    pub(super) of_trait: bool,
}

/// A source file that was understood.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) functions: Vec<Function>,
}

impl<'a> Source<'a> {
    pub(super) fn parse(text: &'a str) -> syn::Result<Self> {
        let file = syn::parse_file(text)?;
        let mut collector = Collector {
            text,
            container: Vec::new(),
            of_trait: false,
            functions: Vec::new(),
        };
        collector.visit_file(&file);
        Ok(Self {
            text,
            functions: collector.functions,
        })
    }

    pub(super) fn function(&self, key: &Key) -> Option<&Function> {
        self.functions.iter().find(|function| function.key == *key)
    }

    pub(super) fn body(&self, function: &Function) -> &'a str {
        &self.text[function.body.clone()]
    }

    /// The text with empty bodies, and without the functions that are left out. Its lines are where they
    /// were.
    pub(super) fn skeleton(&self, left_out: impl Fn(&Key) -> bool) -> String {
        let mut skeleton = String::new();
        let mut at = 0;
        for function in &self.functions {
            let (gone, instead) = match left_out(&function.key) {
                true => (&function.whole, ["", ""]),
                false => (&function.body, ["{", "}"]),
            };
            skeleton.push_str(&self.text[at..gone.start]);
            skeleton.push_str(instead[0]);
            let lines = self.text[gone.clone()].matches('\n').count();
            skeleton.push_str(&"\n".repeat(lines));
            skeleton.push_str(instead[1]);
            at = gone.end;
        }
        skeleton.push_str(&self.text[at..]);
        skeleton
    }
}

struct Collector<'a> {
    text: &'a str,
    container: Vec<String>,
    of_trait: bool,
    functions: Vec<Function>,
}

impl Collector<'_> {
    fn within(&mut self, container: String, of_trait: bool, visit: impl FnOnce(&mut Self)) {
        self.container.push(container);
        let outer = std::mem::replace(&mut self.of_trait, of_trait);
        visit(self);
        self.of_trait = outer;
        self.container.pop();
    }

    fn add(&mut self, whole: &impl Spanned, signature: &Signature, body: &Block) {
        let name = signature.ident.to_string();
        let alike = self
            .functions
            .iter()
            .filter(|other| other.key.name == name && other.key.container == self.container);
        let key = Key {
            nth: alike.count(),
            container: self.container.clone(),
            name,
        };
        self.functions.push(Function {
            key,
            whole: whole.span().byte_range(),
            body: body.span().byte_range(),
            constness: signature
                .constness
                .as_ref()
                .map(|word| word.span.byte_range()),
            of_trait: self.of_trait,
        });
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            let name = format!("mod {}", module.ident);
            self.within(name, false, |inner| visit::visit_item_mod(inner, module));
        }
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let start = block.impl_token.span.byte_range().start;
        let end = block.brace_token.span.open().byte_range().start;
        let words = self.text[start..end].split_whitespace();
        let name = words.collect::<Vec<_>>().join(" ");
        let of_trait = block.trait_.is_some();
        self.within(name, of_trait, |inner| visit::visit_item_impl(inner, block));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let name = format!("trait {}", item.ident);
        self.within(name, true, |inner| visit::visit_item_trait(inner, item));
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(function, &function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(function, &function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(function, &function.sig, body);
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        cfg && attribute
            .parse_args::<syn::Ident>()
            .is_ok_and(|arg| arg == "test")
    })
}

/// Code without comments and layout, to be compared.
pub(super) fn tokens(code: &str) -> Vec<Token> {
    let mut all = Vec::new();
    // What is compared has been parsed before, or was cut from something that was.
    if let Ok(stream) = code.parse::<TokenStream>() {
        flatten(stream, &mut all);
    }
    all
}

/// A token, and its line, from 1.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

fn flatten(stream: TokenStream, all: &mut Vec<Token>) {
    for tree in stream {
        match tree {
            TokenTree::Group(group) => {
                let mut shell = proc_macro2::Group::new(group.delimiter(), TokenStream::new());
                shell.set_span(group.span_open());
                all.push(token(&TokenTree::Group(shell)));
                flatten(group.stream(), all);
                all.push(Token {
                    text: "end of group".to_owned(),
                    line: group.span_close().start().line,
                });
            }
            leaf => all.push(token(&leaf)),
        }
    }
}

fn token(tree: &TokenTree) -> Token {
    Token {
        text: tree.to_string(),
        line: tree.span().start().line,
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, tokens};

    const TEXT: &str = "\
//! A file.
/// One.
const fn one() -> u8 {
    1
}
struct S;
impl S {
    fn two(&self) { fn inside() {} inside() }
}
impl T for S {
    fn three(&self) {}
}
trait T {
    fn three(&self);
    #[inline] fn four(&self) -> u8 { 4 }
}
mod deep {
    #[cfg(a)] pub fn five() { () }
    #[cfg(not(a))] pub fn five() {}
}
#[cfg(test)]
mod tests { fn six() {} }
";

    #[test]
    fn every_function_with_a_body_is_found_where_it_stands() {
        let source = Source::parse(TEXT).unwrap();
        let found = source.functions.iter().map(|function| {
            let key = &function.key;
            let container = key.container.join(" / ");
            format!("{container}: {} {}", key.name, source.body(function))
        });
        let expected = [
            ": one {\n    1\n}",
            "impl S: two { fn inside() {} inside() }",
            "impl T for S: three {}",
            "trait T: four { 4 }",
            "mod deep: five { () }",
            "mod deep: five {}",
        ];
        assert_eq!(Vec::from_iter(found), expected);
        let one = &source.functions[0];
        assert!(TEXT[one.whole.clone()].starts_with("/// One.\nconst fn"));
        assert_eq!(&TEXT[one.constness.clone().unwrap()], "const");
        let of_trait = source.functions.iter().map(|function| function.of_trait);
        assert_eq!(
            Vec::from_iter(of_trait),
            [false, false, true, true, false, false]
        );
    }

    #[test]
    fn a_skeleton_has_its_lines_where_they_were() {
        let source = Source::parse(TEXT).unwrap();
        let skeleton = source.skeleton(|key| key.name == "two");
        let line = |number: usize| skeleton.lines().nth(number - 1).unwrap_or_default();
        assert_eq!(line(3), "const fn one() -> u8 {");
        assert_eq!(line(5), "}");
        assert_eq!(line(8).trim(), "");
        assert_eq!(line(11), "    fn three(&self) {}");
    }

    #[test]
    fn comments_and_layout_are_no_tokens() {
        assert_eq!(tokens("{ a  /* b */ (c) }"), tokens("{a(c)\n}// d"));
        assert_ne!(tokens("{ a(b) c }"), tokens("{ a(b c) }"));
        assert_eq!(tokens("a\n\nb")[1].line, 3);
    }
}
