//! Schemas of bodies that are made of two: settings and the members beside them, so that a setting is declared once; the
//! fields of a request for a code, and those of each way to sign in.

use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};

/// Declares bodies made of two schemas, by the function that joins these.
macro_rules! bodies {
    ($join:ident: $($(#[doc = $description:literal])+ $body:ident = $settings:ty, $members:ty;)*) => {$(
        $(#[doc = $description])+
        pub struct $body;

        impl utoipa::PartialSchema for $body {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::routes::merged::$join::<$settings, $members>(concat!($($description),+).trim())
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

pub(super) use bodies;

/// Members of a body that has settings alone.
#[derive(ToSchema)]
pub(super) struct NoMembers {}

/// An object with the members of both, as they are. Others are refused.
pub(super) fn joined<A: ToSchema, B: ToSchema>(description: &str) -> RefOr<Schema> {
    with_members::<B>(object(A::schema()), description)
}

/// An object with the members of `S`, all of which may be left out, and those of `M` as they are. Others are refused.
pub(super) fn merge_patch<S: ToSchema, M: ToSchema>(description: &str) -> RefOr<Schema> {
    let mut settings = object(S::schema());
    settings.required.clear();
    with_members::<M>(settings, description)
}

fn with_members<M: ToSchema>(mut body: Object, description: &str) -> RefOr<Schema> {
    let members = object(M::schema());
    body.required.extend(members.required);
    body.properties.extend(members.properties);
    body.description = Some(description.to_owned());
    body.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    Schema::Object(body).into()
}

fn object(schema: RefOr<Schema>) -> Object {
    match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::default(),
    }
}
