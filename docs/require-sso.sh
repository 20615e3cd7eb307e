#!/usr/bin/env bash
# Requires SSO of an account of twelve people, and goes back: two duplicates, a shared mailbox and a retained admin.
# Needs bash, curl, jq and openssl, and a running demo (`./dev run`), which prints the three addresses:
#
#   docs/require-sso.sh http://127.0.0.1:8080 vop_… http://127.0.0.1:9000
#                       the API               operator key   the identity provider
set -euo pipefail

api=${1:?the API, such as http://127.0.0.1:8080}
operator=${2:?an operator key}
idp=${3:?the identity provider, such as http://127.0.0.1:9000}
name=walk-$(openssl rand -hex 4)
page=http://127.0.0.1:9/app
password='tulip-anchor-copper-72'
verifier=$(openssl rand -hex 32)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d =)

say() { printf '\n== %s\n' "$*"; }

# call METHOD PATH [BODY]: as $token, or as nobody
call() {
    local headers=(-H 'content-type: application/json')
    if [ -n "${token:-}" ]; then headers+=(-H "authorization: Bearer $token"); fi
    curl -sS --fail-with-body -X "$1" "$api$2" "${headers[@]}" ${3:+-d "$3"}
}

# the token of a form login: username, password
log_in() {
    local step code
    step=$(token='' call POST /v1/form-sign-ins "$(jq -n --arg account "$name" --arg user "$1" --arg password "$2" \
        --arg client "$client" --arg uri "$page/callback" --arg challenge "$challenge" '{
          account_name: $account, identifier: $user, password: $password, client_id: $client, redirect_uri: $uri,
          state: "walk", code_challenge: $challenge, code_challenge_method: "S256" }')")
    code=$(jq -r .redirect_to <<<"$step" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
    curl -sS --fail-with-body "$api/oauth/token" -d grant_type=authorization_code -d "client_id=$client" -d "code=$code" \
        --data-urlencode "redirect_uri=$page/callback" -d "code_verifier=$verifier" | jq -r .access_token
}

# the text of the newest mail to somebody, once it is there
mail_to() {
    local text
    for _ in $(seq 50); do
        text=$(token=$operator call GET "/v1/mailbox?to=$(jq -rn --arg to "$1" '$to | @uri')" | jq -r '.items[0].text // ""')
        if grep -q "$2" <<<"$text"; then printf '%s\n' "$text"; return; fi
        sleep 0.2
    done
    echo "no mail to $1 says \"$2\"" >&2
    exit 1
}

id_of() { call GET "$account/users?limit=200" | jq -r --arg name "$1" '.items[] | select(.username == $name) | .id'; }
rows() { call GET "$migration/rows?limit=200" | jq -r '.items[] | [.before.username, .action, (.after.username // "-"), (.kind // .rule // .reason // "")] | @tsv'; }

say "An account, its frontend and its connection"
token=$operator
account=/v1/accounts/$(call POST /v1/accounts "{\"name\": \"$name\", \"display_name\": \"Walk\", \"owner_email\": \"chief@walk.test\"}" | jq -r .id)
client=$(call POST "$account/applications" "$(jq -n --arg page "$page" '{
  portal: "admin", name: "Console", is_default: true, redirect_uris: [$page + "/callback"], initiate_login_uri: ($page + "/login"),
  pages: { accept_invitation: ($page + "/accept"), login: ($page + "/login"), reset_password: ($page + "/reset") } }')" | jq -r .id)
made=$(call POST "$account/saml-connections" '{"portal": "admin", "default_roles": ["organization_member"],
  "role_mappings": {"nac-team-lead": ["organization_member"]}}')
connection=$account/saml-connections/$(jq -r .id <<<"$made")
call POST "$connection/idp-metadata" "{\"metadata_url\": \"$idp/metadata\"}" >/dev/null
call POST "$connection/enable" '{}' | jq '{mode, missing}'

say "A test sign-in, without which no plan that requires SSO is signed off: the identity provider answers for alice"
tested=$(call POST "$connection/test-sign-ins" '{}')
posted=$(jq '{ username: "alice@example.test", request: .handoff.url }' <<<"$tested" |
    curl -sS --fail-with-body "$idp/control/respond" -H 'content-type: application/json' -d @-)
curl -sS --fail-with-body -o /dev/null "$(jq -r .acs_url <<<"$made")" \
    --data-urlencode "SAMLResponse=$(jq -r .SAMLResponse <<<"$posted")" \
    --data-urlencode "RelayState=$(jq -r .RelayState <<<"$posted")"
call GET "$connection/test-sign-ins/$(jq -r .attempt_id <<<"$tested")" | jq '{outcome, user, roles}'

say "The first owner, who was mailed when the frontend came, sets a password, is the break-glass user by that, and signs in as \"chief\""
link=$(mail_to chief@walk.test token= | sed -n 's/.*#token=\([A-Za-z0-9_-]*\).*/\1/p' | head -n 1)
token='' call POST /v1/invitations/accept "{\"token\": \"$link\", \"password\": \"$password\"}" >/dev/null
chief=$(id_of chief@walk.test)
call PATCH "$account/users/$chief" '{"username": "chief"}' | jq '{username, email, break_glass}'
token=$(log_in chief "$password")

say "Eleven more: ann and bo twice, two people who share a mailbox, one without an email, four others"
people=$(jq -n '[
  ["ann", "ann@walk.test", "Ann"], ["ann.karlsson", "Ann@walk.test", "Ann"], ["bo", "bo@walk.test", "Bo"],
  ["bo.old", "bo@walk.test", null], ["desk.day", "desk@walk.test", "Day shift"], ["desk.night", "desk@walk.test", "Night shift"],
  ["scanner", null, "Scanner"], ["cy", "cy@walk.test", "Cy"], ["di", "di@walk.test", "Di"], ["ed", "ed@walk.test", "Ed"],
  ["fay@walk.test", "fay@walk.test", "Fay"]
  ] | { users: map({ portal: "admin", username: .[0], email: .[1], display_name: .[2], roles: ["organization_member"] }) }')
call POST "$account/user-imports" "$people" >/dev/null
call GET "$account/users?limit=200" | jq '.items | length'

say "What would go wrong"
call GET "$account/sso-readiness?portal=admin" | jq -r '.findings[] | [.severity, .code, .detail, .fix] | @tsv'

say "The preview: nothing is changed by it"
plan=$(call POST "$account/sso-migrations" '{"portal": "admin", "direction": "require"}')
migration=$account/sso-migrations/$(jq -r .id <<<"$plan")
jq '{state, counts, blockers, digest}' <<<"$plan"
rows

say "What only a person can know: the night shift keeps its password, the scanner too"
plan=$(call PATCH "$migration/decisions" "$(jq -n --arg desk "$(id_of desk.night)" --arg scanner "$(id_of scanner)" '{
  decisions: [ { user_id: $desk, choice: "exempt" }, { user_id: $scanner, choice: "exempt" } ] }')")
jq '{counts, blockers}' <<<"$plan"

say "Signed off, and applied"
call POST "$migration/sign-off" "{\"digest\": $(jq .digest <<<"$plan")}" | jq '{state, signed_off}'
call POST "$migration/apply" | jq '{state, applied}'
call GET "$account/users?limit=200" | jq -r '.items[] | [.username, .email // "-", .status, (if .exempt then "exempt" else "" end)] | @tsv'
mail_to cy@walk.test saml | sed -n 1,3p
token='' call GET "/v1/login-options?account_name=$name&portal=admin" | jq '{methods: [.methods[].kind], password_reset}'

say "And back: its own preview, signature and application"
plan=$(call POST "$account/sso-migrations" '{"portal": "admin", "direction": "revert"}')
migration=$account/sso-migrations/$(jq -r .id <<<"$plan")
rows
call POST "$migration/sign-off" "{\"digest\": $(jq .digest <<<"$plan")}" >/dev/null
call POST "$migration/apply" | jq '{state, counts}'
call GET "$account/users?limit=200" | jq -r '.items[] | [.username, .email // "-", .status] | @tsv'
mail_to cy@walk.test 'Temporary password' | sed -n 1,8p

say "What was done stays on record"
call GET "$account/sso-migrations" | jq -r '.items[] | [.direction, .state, .signed_off.by, .applied.at] | @tsv'
