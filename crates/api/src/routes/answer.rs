//! The shapes that answers share: lists, new resources, resources with a version.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use jiff::Timestamp;
use serde::Serialize;
use service::Paged;
use utoipa::ToSchema;

use crate::extract::{etag, next_cursor};

/// Says that an earlier request with the same `Idempotency-Key` had created the resource.
const IDEMPOTENT_REPLAYED: &str = "Idempotent-Replayed";

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// Items of this page.
    items: Vec<T>,
    /// Pass it as `cursor` to get what follows; null on the last page.
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// Makes the answer of one page.
    pub fn page<D>(paged: Paged<D>) -> Self
    where
        T: From<D>,
    {
        Self { items: paged.items.into_iter().map(T::from).collect(), next_cursor: next_cursor(paged.next) }
    }

    /// A list that is always given whole.
    pub fn whole<D>(items: Vec<D>) -> Self
    where
        T: From<D>,
    {
        Self { items: items.into_iter().map(T::from).collect(), next_cursor: None }
    }
}

/// 200 with the version of the resource.
pub fn versioned(updated_at: Timestamp, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, etag(updated_at))).json(body)
}

/// 201 with where the resource is, for one that is a record and has no version.
pub fn recorded(location: String, replayed: bool, body: &impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::CREATED);
    answer.insert_header((LOCATION, location));
    if replayed {
        answer.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    answer.json(body)
}

/// 201 with where the resource is and its version.
pub fn created(location: String, updated_at: Timestamp, replayed: bool, body: &impl Serialize) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::CREATED);
    answer.insert_header((LOCATION, location)).insert_header((ETAG, etag(updated_at)));
    if replayed {
        answer.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    answer.json(body)
}
