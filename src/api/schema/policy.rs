//! The schema of a shop's policy (contract, section 4), built from the core's table of keys. In requests every key may
//! be omitted or null. Responses have all keys.

use std::borrow::Cow;

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema,
    SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::policy::{ChoiceTable, ObjectTable, Shape};

pub use crate::domain::policy::Policy;

/// The schemas of a description, by name.
type NamedSchemas = Vec<(String, RefOr<Schema>)>;

impl PartialSchema for Policy {
    fn schema() -> RefOr<Schema> {
        object(Policy::TABLE)
    }
}

impl ToSchema for Policy {
    fn name() -> Cow<'static, str> {
        Policy::TABLE.name.into()
    }

    fn schemas(schemas: &mut NamedSchemas) {
        for key in Policy::TABLE.keys {
            add_named(key.shape, schemas);
        }
    }
}

/// Adds the schemas that a shape refers to by name.
fn add_named(shape: Shape, schemas: &mut NamedSchemas) {
    match shape {
        Shape::Object(table) => {
            schemas.push((table.name.to_owned(), object(table)));
            for key in table.keys {
                add_named(key.shape, schemas);
            }
        }
        Shape::Choice(table) => schemas.push((table.name.to_owned(), choice(table))),
        Shape::Duration => {
            let note = "`\"48h\"`, `\"1h 30m\"`, `\"0s\"`: digits and a unit of `ms s m h d w`, one or more.";
            schemas.push((DURATION.to_owned(), text(note, "48h")));
        }
        Shape::Member => {
            let note = "An agent's id, `group:NAME` or `role:NAME`.";
            schemas.push((MEMBER.to_owned(), text(note, "group:presale")));
        }
        Shape::Map(of) | Shape::List(of) => add_named(*of, schemas),
        Shape::Flag | Shape::Text { .. } | Shape::Whole { .. } | Shape::Decimal { .. } => {}
    }
}

const DURATION: &str = "Duration";
const MEMBER: &str = "Member";

fn object(table: &ObjectTable) -> RefOr<Schema> {
    let whole = ObjectBuilder::new().description(Some(table.english));
    let keys = table.keys.iter();
    let whole = keys.fold(whole, |whole, key| {
        let schema = schema_of(key.shape, KeyPlace::Key(key.english));
        whole.property(key.name, schema)
    });
    let closed = AdditionalProperties::FreeForm(false);
    whole.additional_properties(Some(closed)).into()
}

fn choice(table: &ChoiceTable) -> RefOr<Schema> {
    let choice = ObjectBuilder::new().schema_type(Type::String);
    let choice = choice.description(Some(table.english));
    choice.enum_values(Some(table.words.iter().copied())).into()
}

fn text(note: &str, example: &str) -> RefOr<Schema> {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = text.description(Some(note));
    text.examples([example]).into()
}

/// The position of a value in the policy.
#[derive(Clone, Copy)]
enum KeyPlace<'a> {
    /// The value of a key, with its description. It may be null.
    Key(&'a str),
    /// An item of a map or an array, which may not be null.
    Within,
}

impl KeyPlace<'_> {
    fn types(self, of: Type) -> SchemaType {
        match self {
            KeyPlace::Key(_) => [of, Type::Null].into_iter().collect(),
            KeyPlace::Within => of.into(),
        }
    }

    fn note(&self) -> Option<&str> {
        match self {
            KeyPlace::Key(note) => Some(note),
            KeyPlace::Within => None,
        }
    }
}

fn schema_of(shape: Shape, place: KeyPlace<'_>) -> RefOr<Schema> {
    let single = |of| {
        let single = ObjectBuilder::new().schema_type(place.types(of));
        single.description(place.note())
    };
    let number = |of, format, max| {
        let number = single(of).format(Some(SchemaFormat::KnownFormat(format)));
        number.minimum(Some(0)).maximum(Some(max))
    };
    match shape {
        Shape::Flag => single(Type::Boolean).into(),
        Shape::Text { example } => single(Type::String).examples(example).into(),
        Shape::Whole { max } => number(Type::Integer, KnownFormat::Int32, max).into(),
        Shape::Decimal { max } => number(Type::Number, KnownFormat::Double, max).into(),
        Shape::Duration => named(DURATION, place),
        Shape::Member => named(MEMBER, place),
        Shape::Choice(table) => named(table.name, place),
        Shape::Object(table) => named(table.name, place),
        Shape::Map(of) => {
            let names = ObjectBuilder::new().schema_type(Type::String);
            let map = single(Type::Object).property_names(Some(names));
            let values = AdditionalProperties::RefOr(schema_of(*of, KeyPlace::Within));
            map.additional_properties(Some(values)).into()
        }
        Shape::List(of) => {
            let list = ArrayBuilder::new().schema_type(place.types(Type::Array));
            let list = list.description(place.note());
            list.items(schema_of(*of, KeyPlace::Within)).into()
        }
    }
}

fn named(name: &str, place: KeyPlace<'_>) -> RefOr<Schema> {
    let schema = Ref::from_schema_name(name);
    match place {
        KeyPlace::Within => schema.into(),
        KeyPlace::Key(note) => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            let either = OneOfBuilder::new().item(schema).item(null);
            either.description(Some(note)).into()
        }
    }
}
