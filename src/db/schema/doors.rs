//! What lets people in, and when it did.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    tickets (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        payment_id -> Text,
        event_id -> Text,
        rate_id -> Text,
        channel_id -> Nullable<Text>,
        position -> BigInt,
        status -> Text,
        code -> Text,
        price -> Text,
        currency -> Text,
        price_minor -> BigInt,
        fee_minor -> BigInt,
        full_name -> Nullable<Text>,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        admits -> BigInt,
        entered -> BigInt,
        entry_time -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
        refunded_minor -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    ticket_refunds (organization_id, ticket_id, refund_id) {
        organization_id -> Text,
        ticket_id -> Text,
        refund_id -> Text,
        amount_minor -> BigInt,
        failed -> Bool,
        requested_by -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    admissions (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        ticket_id -> Text,
        direction -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    deliveries (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        channel_id -> Nullable<Text>,
        event_id -> Nullable<Text>,
        payment_id -> Text,
        refund_id -> Nullable<Text>,
        recipient -> Text,
        tickets -> Text,
        receipt -> Bool,
        state -> Text,
        reason -> Nullable<Text>,
        attempts -> BigInt,
        resent_from -> Nullable<Text>,
        version -> BigInt,
        created_at -> Instant,
        sent_at -> Nullable<Instant>,
        updated_at -> Instant,
        called_off -> Bool,
    }
}
