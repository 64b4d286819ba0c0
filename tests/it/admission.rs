//! Tickets and the door.

use serde_json::json;

use crate::on_both;

on_both! {
    async fn only_a_valid_ticket_admits(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let id = app.pending(&rate, 1).await;
        let listed = app.get(&app.seed.channel, &format!("/v1/tickets?payment_id={id}")).await;
        let ticket = listed.data(200)[0].clone();
        assert_eq!(ticket["status"], "pending_payment");
        assert_eq!(ticket["qr_code"].as_str().unwrap().len(), 32, "time and 128 bits");
        let path = format!("/v1/tickets/{}", ticket["_id"].as_str().unwrap());
        let door = format!("{path}/checkin");
        let early = app.post(&app.seed.org, &door, json!({})).await;
        let refusal = early.refused(409, "ticket_not_valid");
        assert_eq!(refusal["current_status"], "pending_payment");
        app.post(&app.seed.channel, &door, json!({})).await.refused(403, "wrong_principal");
        app.post(&app.seed.other_org, &door, json!({})).await.refused(404, "not_found");
        let cancel = format!("/v1/payments/{id}/cancel");
        app.post(&app.seed.channel, &cancel, json!({})).await.data(200);
        let void = app.post(&app.seed.org, &door, json!({})).await;
        assert_eq!(void.refused(409, "ticket_not_valid")["current_status"], "voided");
        assert_eq!(app.get(&app.seed.org, &path).await.data(200)["enter"], 0);
    }

    async fn tickets_are_read_by_both_sides_and_drawn(app: &TestApp) {
        let (event, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 2).await;
        let id = paid["resource_ids"][0].as_str().unwrap();
        for key in [&app.seed.org, &app.seed.channel] {
            let ticket = app.get(key, &format!("/v1/tickets/{id}")).await.data(200).clone();
            assert_eq!((&ticket["total_price"], &ticket["total_fees"]), (&json!(20.6), &json!(0.6)));
            assert_eq!(ticket["price"]["price"], 20);
            assert_eq!(ticket["for"], 1);
            let picture = app.get(key, &format!("/v1/tickets/{id}/qr.svg")).await;
            assert_eq!(picture.headers["content-type"], "image/svg+xml");
            assert!(picture.text.contains("<svg"));
            let of_event = app.get(key, &format!("/v1/tickets?event_id={event}&status=active")).await;
            assert_eq!(of_event.data(200).as_array().unwrap().len(), 2);
        }
        let theirs = app.get(&app.seed.collecting, "/v1/tickets").await;
        assert_eq!(theirs.data(200), &json!([]));
    }

    async fn a_retried_scan_is_not_told_that_it_was_too_late(app: &TestApp) {
        let (_, rate) = app.on_sale(json!({})).await;
        let paid = app.paid(&rate, 1).await;
        let door = format!("/v1/tickets/{}/checkin", paid["resource_ids"][0].as_str().unwrap());
        let first = app.post_once(&app.seed.org, "scan-1", &door, json!({})).await;
        let again = app.post_once(&app.seed.org, "scan-1", &door, json!({})).await;
        assert_eq!((again.status, &again.text), (200, &first.text));
        app.post_once(&app.seed.org, "scan-2", &door, json!({})).await
            .refused(409, "already_checked_in");
    }
}

#[test]
fn a_png_holds_the_code_that_was_drawn() {
    let png = rialto::tickets::qr::png("DMBVH6R0AH1VG5M7W2K9T4N8Q3XB6C5E").unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let info = reader.info();
    assert_eq!(info.width, info.height);
    // Version 2: 25 modules and the quiet zone, 8 pixels each.
    assert_eq!(info.width, (25 + 2 * 4) * 8);
}
