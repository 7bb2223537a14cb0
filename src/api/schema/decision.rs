//! The schema of a decision in responses (contract, section 3): the common fields, and those of its type.

use std::borrow::Cow;

use utoipa::openapi::schema::OneOfBuilder;
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::flatten::{Schemas, add};
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::protocol::decision::{DecisionBody, DecisionType};

/// A decision: one of [`DecisionType`], in their order.
pub struct DecisionSchema;

impl PartialSchema for DecisionSchema {
    fn schema() -> RefOr<Schema> {
        let bodies = match DecisionBody::schema() {
            RefOr::T(Schema::OneOf(bodies)) => bodies.items,
            RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
        };
        let mut all = OneOfBuilder::new().description(Some("What a shop decided."));
        for (kind, body) in DecisionType::ALL.iter().zip(bodies) {
            all = all.item(whole(*kind, body));
        }
        all.into()
    }
}

impl ToSchema for DecisionSchema {
    fn name() -> Cow<'static, str> {
        "Decision".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((OffsetTimestamp::name().into(), OffsetTimestamp::schema()));
        DecisionBody::schemas(schemas);
    }
}

/// A schema with the common fields and the fields of the type.
fn whole(kind: DecisionType, body: RefOr<Schema>) -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let seq = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some(
            "1, 2, 3 … of the shop, without gaps; 0 where there is no shop.",
        ));
    let mut object = ObjectBuilder::new()
        .property("type", text().enum_values(Some([kind.code()])))
        .required("type")
        .property("at", OffsetTimestamp::schema())
        .property("shop", text())
        .required("shop")
        .property("seq", seq)
        .required("seq")
        .build();
    add(&mut object, &body, &Schemas::new());
    Schema::Object(object)
}
