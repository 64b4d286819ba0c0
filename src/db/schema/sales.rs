//! What is bought.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    payments (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        channel_id -> Nullable<Text>,
        event_id -> Nullable<Text>,
        status -> Text,
        collects -> Text,
        currency -> Text,
        amount_minor -> BigInt,
        fees_minor -> BigInt,
        paid_minor -> BigInt,
        refunded_minor -> BigInt,
        num_tickets -> BigInt,
        send_resources -> Bool,
        metadata -> Text,
        reference -> Nullable<Text>,
        kind -> Nullable<Text>,
        card -> Nullable<Text>,
        language -> Nullable<Text>,
        description -> Nullable<Text>,
        buyer_name -> Nullable<Text>,
        buyer_email -> Nullable<Text>,
        buyer_phone -> Nullable<Text>,
        processing_attempt_id -> Nullable<Text>,
        late_at -> Nullable<Instant>,
        version -> BigInt,
        created_at -> Instant,
        paid_at -> Nullable<Instant>,
        expires_at -> Instant,
        updated_at -> Instant,
        customer_id -> Nullable<Text>,
        authorized_at -> Nullable<Instant>,
        late_outcome -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    payment_items (organization_id, payment_id, position) {
        organization_id -> Text,
        payment_id -> Text,
        position -> BigInt,
        rate_id -> Text,
        price_id -> Text,
        quantity -> BigInt,
        unit_minor -> BigInt,
        fees_minor -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    payment_references (owner_id, mode, reference) {
        owner_id -> Text,
        mode -> Text,
        reference -> Text,
        organization_id -> Text,
        payment_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    payment_attempts (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        payment_id -> Text,
        provider -> Text,
        state -> Text,
        amount_minor -> BigInt,
        card -> Text,
        code -> Nullable<Text>,
        decline_code -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        created_at -> Instant,
        finished_at -> Nullable<Instant>,
        confirmed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    sandbox_charges (attempt_id) {
        attempt_id -> Text,
        answer -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    refunds (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        channel_id -> Nullable<Text>,
        event_id -> Nullable<Text>,
        payment_id -> Text,
        attempt_id -> Nullable<Text>,
        state -> Text,
        amount_minor -> BigInt,
        currency -> Text,
        reason -> Nullable<Text>,
        cause -> Text,
        requested_by -> Nullable<Text>,
        failure_code -> Nullable<Text>,
        version -> BigInt,
        created_at -> Instant,
        processed_at -> Nullable<Instant>,
        asked_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    sandbox_refunds (refund_id) {
        refund_id -> Text,
        answer -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    customers (owner_id, id) {
        owner_id -> Text,
        id -> Text,
        mode -> Text,
        email -> Text,
        name -> Nullable<Text>,
        phone -> Nullable<Text>,
        address -> Nullable<Text>,
        metadata -> Text,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}
