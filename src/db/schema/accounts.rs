//! People: who logs in, where, and as what.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    users (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        confirmed_at -> Nullable<Instant>,
        totp_id -> Nullable<Text>,
        totp_since -> Nullable<Instant>,
        totp_step -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    members (id) {
        id -> Text,
        organization_id -> Nullable<Text>,
        channel_id -> Nullable<Text>,
        user_id -> Text,
        role -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    sessions (id) {
        id -> Text,
        user_id -> Text,
        member_id -> Text,
        generation -> BigInt,
        created_at -> Instant,
        refreshed_at -> Instant,
        expires_at -> Instant,
        ended_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    account_letters (id) {
        id -> Text,
        kind -> Text,
        user_id -> Nullable<Text>,
        created_at -> Instant,
        expires_at -> Instant,
        used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    invitations (id) {
        id -> Text,
        organization_id -> Nullable<Text>,
        channel_id -> Nullable<Text>,
        email -> Text,
        role -> Text,
        invited_by -> Nullable<Text>,
        status -> Text,
        created_at -> Instant,
        expires_at -> Instant,
    }
}
