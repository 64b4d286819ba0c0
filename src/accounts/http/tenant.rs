//! `/v1/auth/tenant`.

use actix_web::{HttpResponse, delete};

use super::super::input::DepartureBody;
use super::super::ops::departure;
use super::passwords::{member_of, prove_password};
use crate::db::{Outcome, Tx};
use crate::kernel::Result;
use crate::web::answer::Deleted;
use crate::web::permission::Owner;
use crate::web::{Actor, Body, Data, State, WriteErrors};

/// Delete the tenant
///
/// By an owner, with the password and the tenant's slug; for good. Its members, sessions,
/// invitations and keys work no longer within a second, its partnerships end, and who is a member
/// of nothing else is forgotten. What was bought and sold stays with the other side, under the
/// tenant's name, whose slug stays taken. 401 `wrong_credentials`; 409 `tenant_in_use` while others
/// rely on it: in live mode `published_events` that are not over (without an `end_date`: 24 hours
/// after their start), `open_payments` (pending or authorized), `unrefunded_payments` (cancelled,
/// or for a cancelled event, with money of which this tenant has given back nothing) and
/// `pending_refunds`, counted in `open`.
#[utoipa::path(operation_id = "auth.delete_tenant", tag = "auth",
    security(("session" = ["owner"])),
    request_body(content = DepartureBody,
        example = json!({"password": "correct horse battery", "slug": "sala-apolo"})),
    responses((status = 429, body = crate::web::ErrorBody, description = "`rate_limited`."),
        (status = 200, body = Data<Deleted>,
            example = json!({"success": true, "data": {"_id": "org_01", "deleted": true}})),
        WriteErrors))]
#[delete("/auth/tenant")]
pub async fn remove(
    state: State,
    actor: Actor<Owner>,
    body: Body<DepartureBody>,
) -> Result<HttpResponse> {
    let (DepartureBody { password, slug }, _) = body.into_parts()?;
    let member = member_of(&actor)?;
    prove_password(&state, &actor, password.0).await?;
    let write =
        move |tx: &mut Tx<'_>| departure::delete_tenant(tx, &member, &slug.0).map(Outcome::Done);
    let id = state.db.write(actor.scope(), write).await?.into_inner();
    Ok(HttpResponse::Ok().json(Data::new(Deleted::of(id))))
}
