//! Functions and their names, from a syntax tree.

use oxc_ast::ast::{
    AccessorProperty, ArrowFunctionExpression, AssignmentExpression, AssignmentPattern,
    AssignmentTarget, Class, ExportDefaultDeclaration, ExportDefaultDeclarationKind, Expression,
    FormalParameter, Function, MethodDefinition, MethodDefinitionKind, ObjectProperty,
    PropertyDefinition, PropertyKey, PropertyKind, StaticBlock, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::{MAX_SCOPES, Position, Scope, Scopes};

/// Longer names are none: a class's stands before each of its methods'.
const MAX_NAME_BYTES: usize = 200;

pub(super) struct Collector<'t> {
    text: &'t str,
    found: Vec<(Span, Option<String>)>,
    left_out: bool,
    /// Names of the classes around, from the outermost.
    classes: Vec<Option<String>>,
    /// The name that the next function or class is given.
    given: Option<String>,
}

impl<'t> Collector<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
            left_out: false,
            classes: Vec::new(),
            given: None,
        }
    }

    pub(super) fn into_scopes(self) -> Scopes {
        let places = positions(self.text, &self.found);
        let ranges = self.found.into_iter().zip(places);
        let ranges = ranges.map(|((_, name), [start, end])| Scope { start, end, name });
        let mut scopes = Scopes::from_ranges(ranges.collect());
        scopes.is_incomplete |= self.left_out;
        scopes
    }

    fn add(&mut self, span: Span, name: Option<String>) {
        if self.found.len() == MAX_SCOPES {
            self.left_out = true;
        } else {
            let name = name.filter(|name| name.len() <= MAX_NAME_BYTES);
            self.found.push((span, name));
        }
    }

    /// Visits the value of something that has a name, which a function or class then bears.
    fn give(&mut self, value: &Expression<'_>, name: impl FnOnce(&Self) -> Option<String>) {
        let value = value.get_inner_expression();
        if matches!(
            value,
            Expression::FunctionExpression(_)
                | Expression::ArrowFunctionExpression(_)
                | Expression::ClassExpression(_)
        ) {
            self.given = name(self).filter(|name| name.len() <= MAX_NAME_BYTES);
        }
    }

    /// `Class.name`, in a class that has a name.
    fn member(&self, name: &str) -> String {
        match self.classes.last() {
            Some(Some(class)) => format!("{class}.{name}"),
            _ => name.to_owned(),
        }
    }

    fn key(&self, key: &PropertyKey<'_>, is_computed: bool) -> Option<String> {
        let name = match key {
            PropertyKey::PrivateIdentifier(name) => format!("#{}", name.name),
            PropertyKey::StaticIdentifier(name) => name.name.to_string(),
            _ => match key.static_name() {
                Some(name) if !is_computed || key.as_expression().is_some() => name.into_owned(),
                _ => format!("[{}]", self.source(key.span())?),
            },
        };
        (name.len() <= MAX_NAME_BYTES && !name.contains('\n')).then_some(name)
    }

    fn source(&self, span: Span) -> Option<&'t str> {
        self.text.get(span.start as usize..span.end as usize)
    }

    /// `exports.handler`, `Cart.pay` for `Cart.prototype.pay`, and `Class.x` for `this.x`.
    fn target(&self, target: &AssignmentTarget<'_>) -> Option<String> {
        if let Some(member) = target.as_member_expression() {
            let name = member.static_property_name()?;
            return match member.object() {
                Expression::ThisExpression(_) => Some(self.member(name)),
                Expression::Identifier(object) => Some(format!("{}.{name}", object.name)),
                Expression::StaticMemberExpression(object) => {
                    let owner = match &object.object {
                        Expression::Identifier(owner) if object.property.name == "prototype" => {
                            owner.name.as_str()
                        }
                        _ => object.property.name.as_str(),
                    };
                    Some(format!("{owner}.{name}"))
                }
                _ => Some(name.to_owned()),
            };
        }
        target.get_identifier_name().map(str::to_owned)
    }

    fn initializer(&mut self, value: &Expression<'_>, is_static: bool) {
        let name = if is_static {
            "<static_initializer>"
        } else {
            "<instance_members_initializer>"
        };
        let name = self.member(name);
        self.add(value.span(), Some(name));
    }
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        let given = self.given.take();
        if it.body.is_some() {
            let own = it.id.as_ref().map(|id| id.name.to_string());
            self.add(it.span, own.or(given));
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let given = self.given.take();
        self.add(it.span, given);
        walk::walk_arrow_function_expression(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        let given = self.given.take();
        let own = it.id.as_ref().map(|id| id.name.to_string());
        let name = own.or(given).filter(|name| name.len() <= MAX_NAME_BYTES);
        self.classes.push(name);
        walk::walk_class(self, it);
        self.classes.pop();
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        self.visit_decorators(&it.decorators);
        self.visit_property_key(&it.key);
        let key = self.key(&it.key, it.computed);
        self.given = match it.kind {
            MethodDefinitionKind::Constructor => self.classes.last().cloned().flatten(),
            MethodDefinitionKind::Get => key.map(|key| self.member(&format!("get {key}"))),
            MethodDefinitionKind::Set => key.map(|key| self.member(&format!("set {key}"))),
            MethodDefinitionKind::Method => key.map(|key| self.member(&key)),
        };
        self.visit_function(&it.value, ScopeFlags::Function);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.visit_decorators(&it.decorators);
        self.visit_property_key(&it.key);
        if let Some(value) = &it.value {
            self.initializer(value, it.r#static);
            self.give(value, |this| {
                Some(this.member(&this.key(&it.key, it.computed)?))
            });
            self.visit_expression(value);
        }
    }

    fn visit_accessor_property(&mut self, it: &AccessorProperty<'a>) {
        self.visit_decorators(&it.decorators);
        self.visit_property_key(&it.key);
        if let Some(value) = &it.value {
            self.initializer(value, it.r#static);
            self.give(value, |this| {
                Some(this.member(&this.key(&it.key, it.computed)?))
            });
            self.visit_expression(value);
        }
    }

    fn visit_static_block(&mut self, it: &StaticBlock<'a>) {
        let name = self.member("<static_initializer>");
        self.add(it.span, Some(name));
        walk::walk_static_block(self, it);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        self.visit_property_key(&it.key);
        self.give(&it.value, |this| {
            let key = this.key(&it.key, it.computed)?;
            Some(match it.kind {
                PropertyKind::Init => key,
                PropertyKind::Get => format!("get {key}"),
                PropertyKind::Set => format!("set {key}"),
            })
        });
        self.visit_expression(&it.value);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        if let Some(value) = &it.init {
            self.give(value, |_| {
                it.id.get_identifier_name().map(|name| name.to_string())
            });
            self.visit_expression(value);
        }
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        self.visit_assignment_target(&it.left);
        self.give(&it.right, |this| this.target(&it.left));
        self.visit_expression(&it.right);
    }

    fn visit_assignment_pattern(&mut self, it: &AssignmentPattern<'a>) {
        self.visit_binding_pattern(&it.left);
        self.give(&it.right, |_| {
            it.left.get_identifier_name().map(|name| name.to_string())
        });
        self.visit_expression(&it.right);
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        self.visit_decorators(&it.decorators);
        self.visit_binding_pattern(&it.pattern);
        if let Some(value) = &it.initializer {
            self.give(value, |_| {
                let name = it.pattern.get_identifier_name();
                name.map(|name| name.to_string())
            });
            self.visit_expression(value);
        }
    }

    fn visit_export_default_declaration(&mut self, it: &ExportDefaultDeclaration<'a>) {
        let default = Some("default".to_owned());
        match &it.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(_)
            | ExportDefaultDeclarationKind::ClassDeclaration(_) => self.given = default,
            other => {
                if let Some(value) = other.as_expression() {
                    self.give(value, |_| default);
                }
            }
        }
        walk::walk_export_default_declaration(self, it);
    }
}

/// The positions of starts and ends, in one pass over the text.
fn positions(text: &str, found: &[(Span, Option<String>)]) -> Vec<[Position; 2]> {
    let mut offsets: Vec<(u32, usize)> = Vec::with_capacity(found.len() * 2);
    for (index, (span, _)) in found.iter().enumerate() {
        offsets.push((span.start, index * 2));
        offsets.push((span.end, index * 2 + 1));
    }
    offsets.sort_unstable();
    let mut places = vec![[Position::default(); 2]; found.len()];
    let mut waiting = offsets.into_iter().peekable();
    let mut here = Position::default();
    let ends = std::iter::once((text.len(), '\n'));
    for (offset, c) in text.char_indices().chain(ends) {
        while let Some((_, slot)) = waiting.next_if(|(at, _)| *at as usize <= offset) {
            places[slot / 2][slot % 2] = here;
        }
        if c == '\n' {
            here.line += 1;
            here.column = 0;
        } else {
            here.column += c.len_utf16() as u32;
        }
    }
    places
}
