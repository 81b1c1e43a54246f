use axum::http::StatusCode;

use super::Clinic;

fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[tokio::test]
async fn people_are_found_by_name_organisation_and_number() {
    let clinic = Clinic::open().await;
    let mut staff = clinic.practitioner().await;
    for (search, found, not) in [
        ("okaf", "Sam Okafor", "Ivy Tran"),
        ("pathology", "Dr Omi Sato", "Sam Okafor"),
        ("0491 570 159", "Lee Park", "Sam Okafor"),
        ("570159", "Lee Park", "Ivy Tran"),
    ] {
        let page = staff
            .get(&format!("/people?q={}", crate::form::encode(search)))
            .await
            .body;
        assert!(page.contains(found) && !page.contains(not), "{search}");
    }
    let contacts = staff.get("/people?which=contacts").await.body;
    assert!(contacts.contains("Harbour Pharmacy") && !contacts.contains("Lee Park"));
}

#[tokio::test]
async fn a_patient_is_written_down_and_changed() {
    let clinic = Clinic::open().await;
    let mut staff = clinic.administrator().await;
    let new = fields(&[
        ("name", "Nia <Vance>"),
        ("born", "1990-01-02"),
        ("email", "nia@example.com"),
        ("label", "Mobile"),
        ("number", "0491 570 006"),
        ("label", ""),
        ("number", ""),
    ]);
    let path = staff
        .post("/people/patients/new", &new)
        .await
        .location()
        .to_owned();
    let page = staff.get(&path).await.body;
    assert!(page.contains("born 2 January 1990") && page.contains("0491 570 006"));
    assert!(!page.contains("<Vance>"), "names are text");
    let changed = fields(&[
        ("name", "Nia Vance"),
        ("label", "Home"),
        ("number", "(02) 5550 0100"),
    ]);
    assert_eq!(
        staff.post(&format!("{path}/edit"), &changed).await.status,
        StatusCode::SEE_OTHER
    );
    let page = staff.get(&path).await.body;
    assert!(
        page.contains("(02) 5550 0100") && !page.contains("0491 570 006") && !page.contains("1990")
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_and_what_was_typed_stays() {
    let clinic = Clinic::open().await;
    let mut staff = clinic.administrator().await;
    let before = clinic.count("patients").await;
    let wrong = fields(&[
        ("name", ""),
        ("email", "nobody"),
        ("label", "Mobile"),
        ("number", "ring me"),
    ]);
    let reply = staff.post("/people/patients/new", &wrong).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in [
        "Write the name.",
        "not an email address",
        "3 to 15 digits",
        "value=\"ring me\"",
        "value=\"nobody\"",
    ] {
        assert!(reply.body.contains(words), "{words}");
    }
    assert_eq!(clinic.count("patients").await, before);
}
