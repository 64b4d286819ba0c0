//! The tables, as both migration trees make them (`tests/it/schema.rs` compares all three).
//!
//! Written by hand: a generator would print the types of one database. Only this room and the
//! `store.rs` files name these tables.

#![allow(missing_docs)]

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    server_settings (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    use super::super::types::Instant;

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
    use super::super::types::Instant;

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
    use super::super::types::Instant;

    feed_heads (tenant_id, mode) {
        tenant_id -> Text,
        mode -> Text,
        seq -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    organizations (id) {
        id -> Text,
        name -> Text,
        slug -> Text,
        currency -> Nullable<Text>,
        timezone -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    channels (id) {
        id -> Text,
        name -> Text,
        slug -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    use super::super::types::Instant;

    holds (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        state -> Text,
        expires_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    hold_lines (organization_id, hold_id, counter_id) {
        organization_id -> Text,
        hold_id -> Text,
        counter_id -> Text,
        quantity -> BigInt,
        unsettled -> Bool,
        overdue_at -> Nullable<Instant>,
        unfolded -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    event_numbers (number) {
        number -> BigInt,
        organization_id -> Text,
        event_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    events (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        number -> BigInt,
        status -> Text,
        title -> Text,
        slug -> Text,
        description -> Nullable<Text>,
        start_date -> Nullable<Instant>,
        end_date -> Nullable<Instant>,
        display_date -> Nullable<Instant>,
        timezone -> Nullable<Text>,
        venue -> Nullable<Text>,
        capacity -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        age -> Nullable<Text>,
        outfit -> Nullable<Text>,
        image_url -> Nullable<Text>,
        artists -> Text,
        music_genres -> Text,
        ambiences -> Text,
        visibility -> Text,
        language -> Nullable<Text>,
        metadata -> Text,
        revision -> BigInt,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    ticket_rates (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        event_id -> Text,
        name -> Text,
        slug -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        valid_from -> Nullable<Instant>,
        valid_until -> Nullable<Instant>,
        complete -> Bool,
        min_quantity -> BigInt,
        max_quantity -> BigInt,
        max_per_buyer -> Nullable<BigInt>,
        capacity -> Nullable<BigInt>,
        hidden -> Bool,
        revision -> BigInt,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    rate_prices (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        rate_id -> Text,
        position -> BigInt,
        name -> Text,
        price_minor -> BigInt,
        valid_until -> Nullable<Instant>,
        quantity -> Nullable<BigInt>,
        fee_type -> Text,
        fee_quantity -> BigInt,
        includes -> Nullable<Text>,
        additional_info -> Nullable<Text>,
        active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    payments (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        channel_id -> Nullable<Text>,
        event_id -> Text,
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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    use super::super::types::Instant;

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
    use super::super::types::Instant;

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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    sandbox_charges (attempt_id) {
        attempt_id -> Text,
        answer -> Text,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

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
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::super::types::Instant;

    admissions (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        ticket_id -> Text,
        direction -> Text,
        created_at -> Instant,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    server_settings,
    idempotency_keys,
    changes,
    changes_pending,
    feed,
    feed_heads,
    jobs,
    organizations,
    channels,
    partnerships,
    api_keys,
    counters,
    holds,
    hold_lines,
    event_numbers,
    events,
    ticket_rates,
    rate_prices,
    payments,
    payment_items,
    payment_references,
    payment_attempts,
    sandbox_charges,
    tickets,
    admissions,
);
