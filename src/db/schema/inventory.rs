//! Stock, and what is taken from it.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    counters (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        capacity -> Nullable<BigInt>,
        taken -> BigInt,
        revision -> BigInt,
        ever_taken -> Bool,
        sold -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    holds (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        state -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    hold_lines (organization_id, hold_id, counter_id) {
        organization_id -> Text,
        hold_id -> Text,
        counter_id -> Text,
        quantity -> BigInt,
        unfolded -> Bool,
    }
}
