//! A customer as it is shown.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{Mode, Timestamp};
use crate::payments::store::Customer;

/// A buyer a tenant knows.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CustomerView {
    _id: String,
    id: String,
    mode: Mode,
    email: String,
    name: Option<String>,
    phone: Option<String>,
    #[schema(value_type = Option<Object>)]
    address: Option<Value>,
    #[schema(value_type = Object)]
    metadata: Value,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        let id = customer.id.to_string();
        Self {
            _id: id.clone(),
            id,
            mode: customer.mode,
            email: customer.email,
            name: customer.name,
            phone: customer.phone,
            address: customer.address.map(|address| address.0),
            metadata: customer.metadata.0,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}
