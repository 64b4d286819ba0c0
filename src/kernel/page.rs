//! Pages of lists: named limits and opaque cursors.

use data_encoding::BASE64URL_NOPAD;

/// Rows in a page unless asked otherwise.
pub const LIMIT_DEFAULT: i64 = 50;
/// Most rows in a page.
pub const LIMIT_MAX: i64 = 200;
/// Furthest a list can be entered by `offset`; cursors have no such end.
pub const OFFSET_MAX: i64 = 10_000;

/// Which page of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Rows wanted, 1 to [`LIMIT_MAX`].
    pub limit: i64,
    /// Rows to skip, 0 to [`OFFSET_MAX`].
    pub offset: i64,
    /// The identifier after which the page begins.
    pub after: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: LIMIT_DEFAULT, offset: 0, after: None }
    }
}

/// One page, and how to get the next.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the list's documented order.
    pub rows: Vec<T>,
    /// Rows asked for.
    pub limit: i64,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page out of `limit + 1` fetched rows; `key` names a row for the cursor.
    pub fn cut(mut rows: Vec<T>, request: &PageRequest, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(key) } else { None };
        Self { rows, limit: request.limit, next }
    }

    /// The same page of something made from each row.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(make).collect(), limit: self.limit, next: self.next }
    }
}

/// Hides a list position in a cursor.
pub fn encode_cursor(position: &str) -> String {
    BASE64URL_NOPAD.encode(position.as_bytes())
}

/// Reads a cursor back; `None` when it is not one of ours.
pub fn decode_cursor(cursor: &str) -> Option<String> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    String::from_utf8(bytes).ok().filter(|s| s.is_ascii() && !s.contains('\0'))
}
