//! Who buys and sells, and their keys.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    organizations (id) {
        id -> Text,
        name -> Text,
        slug -> Text,
        currency -> Nullable<Text>,
        timezone -> Nullable<Text>,
        created_at -> Instant,
        confirmed_at -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    channels (id) {
        id -> Text,
        name -> Text,
        slug -> Text,
        created_at -> Instant,
        confirmed_at -> Nullable<Instant>,
        deleted_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    partnerships (organization_id, channel_id) {
        organization_id -> Text,
        channel_id -> Text,
        id -> Text,
        status -> Text,
        collects -> Text,
        commission_type -> Text,
        commission_quantity -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        on_account -> Bool,
        proposed -> Nullable<Text>,
        suspended_by -> Nullable<Text>,
        version -> BigInt,
        rate_ids -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    api_keys (id) {
        id -> Text,
        secret_hash -> Text,
        organization_id -> Nullable<Text>,
        channel_id -> Nullable<Text>,
        mode -> Text,
        name -> Text,
        scopes -> Text,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        revoked_at -> Nullable<Instant>,
        previous_hash -> Nullable<Text>,
        previous_until -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
    }
}
