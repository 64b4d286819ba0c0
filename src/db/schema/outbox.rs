//! Changes, feeds and jobs.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    changes (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        channel_id -> Nullable<Text>,
        mode -> Text,
        event_id -> Nullable<Text>,
        kind -> Text,
        object_id -> Text,
        sequence -> BigInt,
        data_organization -> Text,
        data_channel -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    changes_pending (position) {
        position -> BigInt,
        organization_id -> Text,
        change_id -> Text,
        channel_id -> Nullable<Text>,
        mode -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    feed (tenant_id, mode, seq) {
        tenant_id -> Text,
        mode -> Text,
        seq -> BigInt,
        organization_id -> Text,
        change_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    feed_heads (tenant_id, mode) {
        tenant_id -> Text,
        mode -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    jobs (id) {
        id -> Text,
        kind -> Text,
        payload -> Text,
        state -> Text,
        run_at -> Instant,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
        created_at -> Instant,
    }
}
