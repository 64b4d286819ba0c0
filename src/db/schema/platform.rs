//! The server's own settings, and what was answered under which key.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    server_settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    idempotency_keys (tenant_id, mode, idempotency_key) {
        tenant_id -> Text,
        mode -> Text,
        idempotency_key -> Text,
        fingerprint -> Text,
        status -> Nullable<Integer>,
        body -> Nullable<Text>,
        created_at -> Instant,
    }
}
