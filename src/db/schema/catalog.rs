//! What is on sale.

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

    event_numbers (number) {
        number -> BigInt,
        organization_id -> Text,
        event_id -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

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
        location_id -> Nullable<Text>,
        start_day -> Nullable<Text>,
        search_text -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::Instant;

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
    use crate::db::types::Instant;

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
    use crate::db::types::Instant;

    locations (organization_id, id) {
        organization_id -> Text,
        id -> Text,
        mode -> Text,
        name -> Text,
        address -> Nullable<Text>,
        address_line2 -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        city -> Nullable<Text>,
        state -> Nullable<Text>,
        country -> Nullable<Text>,
        latitude_e6 -> Nullable<BigInt>,
        longitude_e6 -> Nullable<BigInt>,
        timezone -> Nullable<Text>,
        version -> BigInt,
        created_at -> Instant,
        updated_at -> Instant,
    }
}
