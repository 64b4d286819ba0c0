//! `/v1/customers`.

use actix_web::{HttpResponse, delete, get, patch, post, put, web::Path};
use deserr::Deserr;
use utoipa::IntoParams;

use super::examples;
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::kernel::input::{Email, Faults};
use crate::payments::CustomerView;
use crate::payments::input::{CustomerFields, NewCustomer};
use crate::payments::ops::customers as ops;
use crate::web::answer::{Answer, Data, Deleted, List, Reply};
use crate::web::permission::{Read, WriteCustomers};
use crate::web::query::{PagedQuery, Paging};
use crate::web::{Actor, Body, Empty, Once, ReadErrors, State, WriteErrors};

/// Create a customer
///
/// A buyer you know; nobody else sees them. 409 `email_taken` (with `customer_id`).
#[utoipa::path(operation_id = "customers.create", tag = "customers",
    security(("api_key" = ["write:customers"]), ("bearer" = ["write:customers"]),
        ("basic" = ["write:customers"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a retry safe.")),
    request_body(content = NewCustomer, example = json!({"email": "ana@example.com",
        "name": "Ana Lopez", "address": {"line1": "Mayor 1", "city": "Madrid", "country": "ES"}})),
    responses(
        (status = 201, body = Data<CustomerView>, example = json!(examples::customer())),
        WriteErrors,
    ))]
#[post("/customers")]
pub async fn create(
    actor: Actor<WriteCustomers>,
    once: Once,
    body: Body<NewCustomer>,
) -> Result<HttpResponse> {
    let (new, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::created(ops::create(tx, &new)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Which customers.
#[derive(Deserr, IntoParams, Debug)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// With this e-mail, in any case.
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    email: Option<Email>,
}

/// List customers
///
/// Your own, newest first.
#[utoipa::path(operation_id = "customers.list", tag = "customers", params(ListParams, Paging),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = List<CustomerView>, example = json!(examples::customers())),
        ReadErrors,
    ))]
#[get("/customers")]
pub async fn list(
    state: State,
    actor: Actor<Read>,
    query: PagedQuery<ListParams>,
) -> Result<HttpResponse> {
    let (ListParams { email }, page) = query.into_inner()?;
    let find =
        move |tx: &mut Tx<'_>| ops::list(tx, email.as_ref().map(|email| email.0.as_str()), &page);
    Ok(HttpResponse::Ok().json(List::from(state.db.read(actor.scope(), find).await?)))
}

/// Read a customer
///
/// By the id. Their payments: `GET /payments?customer_id=`.
#[utoipa::path(operation_id = "customers.read", tag = "customers",
    params(("id" = String, Path, description = "The customer.")),
    security(("api_key" = ["read"]), ("bearer" = ["read"]), ("basic" = ["read"])),
    responses(
        (status = 200, body = Data<CustomerView>, example = json!(examples::customer())),
        ReadErrors,
    ))]
#[get("/customers/{id}")]
pub async fn read(state: State, actor: Actor<Read>, path: Path<String>) -> Result<HttpResponse> {
    let view = state.db.read(actor.scope(), move |tx| ops::read(tx, &path)).await?;
    Ok(HttpResponse::Ok().json(Data::new(view)))
}

/// Change a customer
///
/// A partial update: absent fields are left, null clears. 409 `email_taken`.
#[utoipa::path(operation_id = "customers.update", tag = "customers",
    params(("id" = String, Path, description = "The customer.")),
    security(("api_key" = ["write:customers"]), ("bearer" = ["write:customers"]),
        ("basic" = ["write:customers"])),
    request_body(content = CustomerFields, example = json!({"name": "Ana López"})),
    responses(
        (status = 200, body = Data<CustomerView>, example = json!(examples::customer())),
        WriteErrors,
    ))]
#[put("/customers/{id}")]
pub async fn update(
    actor: Actor<WriteCustomers>,
    once: Once,
    path: Path<String>,
    body: Body<CustomerFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

/// Change a customer
///
/// The same as PUT.
#[utoipa::path(operation_id = "customers.patch", tag = "customers",
    params(("id" = String, Path, description = "The customer.")),
    security(("api_key" = ["write:customers"]), ("bearer" = ["write:customers"]),
        ("basic" = ["write:customers"])),
    request_body(content = CustomerFields, example = json!({"phone": null})),
    responses(
        (status = 200, body = Data<CustomerView>, example = json!(examples::customer())),
        WriteErrors,
    ))]
#[patch("/customers/{id}")]
pub async fn patch(
    actor: Actor<WriteCustomers>,
    once: Once,
    path: Path<String>,
    body: Body<CustomerFields>,
) -> Result<HttpResponse> {
    change(actor, once, path, body).await
}

async fn change(
    actor: Actor<WriteCustomers>,
    once: Once,
    path: Path<String>,
    body: Body<CustomerFields>,
) -> Result<HttpResponse> {
    let (fields, canonical) = body.into_parts()?;
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(ops::update(tx, &path, &fields)?)?)))
    };
    once.write(&actor, &canonical, run).await
}

/// Delete a customer
///
/// They are forgotten; their payments stay and name nobody in `customer_id`.
#[utoipa::path(operation_id = "customers.delete", tag = "customers",
    params(("id" = String, Path, description = "The customer.")),
    security(("api_key" = ["write:customers"]), ("bearer" = ["write:customers"]),
        ("basic" = ["write:customers"])),
    request_body(content = Option<Empty>, example = json!({})),
    responses(
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "cus_01", "deleted": true}})),
        WriteErrors,
    ))]
#[delete("/customers/{id}")]
pub async fn remove(
    actor: Actor<WriteCustomers>,
    once: Once,
    path: Path<String>,
    body: Body<Empty>,
) -> Result<HttpResponse> {
    let run = move |tx: &mut Tx<'_>| {
        Ok(Outcome::Done(Reply::Good(Answer::ok(Deleted::of(ops::delete(tx, &path)?))?)))
    };
    once.write(&actor, &body.into_parts()?.1, run).await
}
