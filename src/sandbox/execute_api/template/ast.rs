//! What a template is, once it is parsed.

/// A place in the template's text: bytes from its beginning.
pub(super) type At = usize;

/// One piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Reference(Reference),
    Set {
        target: Reference,
        value: Expression,
    },
    If {
        branches: Vec<(Expression, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    Foreach {
        name: String,
        items: Expression,
        body: Vec<Node>,
        at: At,
    },
    /// `#define`: the block, by its number in the template.
    Define {
        name: String,
        block: usize,
    },
    Break,
    Stop,
}

/// `$name.property.method(…)[index]`.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) path: Vec<Access>,
    /// `$!`: nothing is printed if there is no value.
    pub(super) quiet: bool,
    /// As it is written, which is what is printed for a variable that nobody set.
    pub(super) source: String,
    /// How many backslashes stand before it; they escape it.
    pub(super) backslashes: usize,
    pub(super) at: At,
}

/// One step along a reference.
#[derive(Debug)]
pub(super) enum Access {
    Property(String),
    Method(String, Vec<Expression>),
    Index(Expression),
}

/// An expression in a directive, in brackets or between a method's parentheses.
#[derive(Debug)]
pub(super) enum Expression {
    Text(std::sync::Arc<str>),
    /// A string in double quotes, with references in it.
    Interpolated(Vec<Node>),
    Int(i64),
    Double(f64),
    Bool(bool),
    List(Vec<Expression>),
    Range(Box<(Expression, Expression)>),
    Map(Vec<(Expression, Expression)>),
    Reference(Box<Reference>),
    Not(Box<Expression>),
    Negated(Box<Expression>),
    Binary(Operator, Box<(Expression, Expression)>),
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// How strongly it binds; the stronger the higher.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::Unequal => 3,
            Self::Less | Self::AtMost | Self::Greater | Self::AtLeast => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Remainder => 6,
        }
    }
}
