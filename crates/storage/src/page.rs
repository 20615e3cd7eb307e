//! Keyset paging: a page begins after an id, so rows that come or go elsewhere shift nothing.

use uuid::Uuid;

/// Part of a list that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The last id of the page before; none for the first page.
    pub after: Option<Uuid>,
    /// Most items; the caller bounds it.
    pub limit: u16,
}

impl Page {
    /// The beginning of a list.
    pub const fn first(limit: u16) -> Self {
        Self { after: None, limit }
    }

    /// The bound below which nothing is wanted, for a list in ascending order. Binding an id also for the first page
    /// keeps the condition one that an index answers.
    pub(crate) fn above(&self) -> Uuid {
        self.after.unwrap_or(Uuid::nil())
    }

    /// The bound above which nothing is wanted, for a list with the newest first.
    pub(crate) fn below(&self) -> Uuid {
        self.after.unwrap_or(Uuid::max())
    }

    /// Number of rows to read: one more than wanted tells whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Id that the next page begins after; none on the last page.
    pub next: Option<Uuid>,
}

impl<T> Paged<T> {
    /// Cuts what was read for a page down to it.
    pub(crate) fn cut(mut items: Vec<T>, page: &Page, id: impl Fn(&T) -> Uuid) -> Self {
        let limit = usize::from(page.limit);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(id) } else { None };
        Self { items, next }
    }
}
