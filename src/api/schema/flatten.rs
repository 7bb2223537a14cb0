//! Objects with flattened fields, described as one object: `allOf` says the same and reads badly, and does not let a
//! reader forbid other fields.

use std::collections::BTreeMap;

use utoipa::openapi::schema::{AllOf, AnyOf, ArrayItems, OneOf};
use utoipa::openapi::{Object, RefOr, Schema};

/// Schemas by their names.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Replaces every `allOf` of objects by one object.
pub fn flatten(schemas: &mut Schemas) {
    let before = schemas.clone();
    for schema in schemas.values_mut() {
        flatten_one(schema, &before);
    }
}

fn flatten_one(schema: &mut RefOr<Schema>, schemas: &Schemas) {
    let RefOr::T(inner) = schema else {
        return;
    };
    match inner {
        Schema::AllOf(all) => {
            let mut object = Object::new();
            for item in &all.items {
                add(&mut object, item, schemas);
            }
            object.description.clone_from(&all.description);
            *inner = Schema::Object(object);
        }
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                flatten_one(property, schemas);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                flatten_one(items, schemas);
            }
        }
        Schema::OneOf(OneOf { items, .. }) | Schema::AnyOf(AnyOf { items, .. }) => {
            for item in items {
                flatten_one(item, schemas);
            }
        }
        _ => {}
    }
}

/// Adds the fields of a schema to an object. `schemas` are those that it may refer to.
pub fn add(object: &mut Object, schema: &RefOr<Schema>, schemas: &Schemas) {
    match schema {
        RefOr::T(Schema::Object(body)) => {
            if body.description.is_some() {
                object.description.clone_from(&body.description);
            }
            object.properties.extend(body.properties.clone());
            object.required.extend(body.required.clone());
        }
        RefOr::T(Schema::AllOf(AllOf { items, .. })) => {
            for item in items {
                add(object, item, schemas);
            }
        }
        RefOr::Ref(named) => {
            let name = named.ref_location.rsplit('/').next().unwrap_or_default();
            if let Some(schema) = schemas.get(name) {
                add(object, schema, schemas);
            }
        }
        RefOr::T(_) => {}
    }
}
