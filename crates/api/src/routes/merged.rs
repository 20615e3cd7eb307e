//! Schemas of bodies that change or create what has settings: made of the schema of the settings, so that a setting is
//! declared once.

use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};

/// Declares bodies: their description, the schema of the settings, and the schema of the members that come with these or
/// stand in their place.
macro_rules! merged_bodies {
    ($($(#[doc = $description:literal])+ $body:ident = $settings:ty, $members:ty;)*) => {$(
        $(#[doc = $description])+
        pub struct $body;

        impl utoipa::PartialSchema for $body {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::routes::merged::body::<$settings, $members>(concat!($($description),+).trim())
            }
        }

        impl utoipa::ToSchema for $body {
            fn schemas(
                schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>,
            ) {
                <$settings as utoipa::ToSchema>::schemas(schemas);
                <$members as utoipa::ToSchema>::schemas(schemas);
            }
        }
    )*};
}

pub(super) use merged_bodies;

/// Members of a body that has settings alone.
#[derive(ToSchema)]
pub(super) struct NoMembers {}

/// An object with the members of `S`, all of which may be left out, and those of `M` as they are. Others are refused.
pub(super) fn body<S: ToSchema, M: ToSchema>(description: &str) -> RefOr<Schema> {
    let mut merged = object(S::schema());
    merged.required.clear();
    let members = object(M::schema());
    merged.required.extend(members.required);
    merged.properties.extend(members.properties);
    merged.description = Some(description.to_owned());
    merged.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    Schema::Object(merged).into()
}

fn object(schema: RefOr<Schema>) -> Object {
    match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::default(),
    }
}
