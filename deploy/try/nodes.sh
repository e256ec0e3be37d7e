# deploy/compose.yaml: two web nodes, two workers, nginx and an S3 store.

nodes() { "${compose[@]}" -p headstart-try-nodes -f deploy/compose.yaml "$@"; }

try_nodes() {
  local port
  port=$(free_port)
  host=http://127.0.0.1:$port
  key=hs_$(openssl rand -hex 16)
  HEADSTART_SECRET=$(openssl rand -hex 32)
  HEADSTART_S3_SECRET=$(openssl rand -hex 24)
  export HEADSTART_LISTEN=127.0.0.1:$port HEADSTART_KEY=$key HEADSTART_SECRET HEADSTART_S3_SECRET HEADSTART_BACKUPS=$work/backups-nodes
  install -d -o 1654 -m 700 "$HEADSTART_BACKUPS"

  promise "deploy/compose.yaml starts two web nodes and two workers from nothing" nodes_start
  promise "the main job works through nginx" main_job
  promise "what is published on one node is served by the other within five seconds" nodes_publish
  promise "a sign-in on one node is valid on the other" nodes_session
  promise "nginx does not serve /metrics" nodes_metrics
  promise "a web node is killed: nginx keeps answering, and the node comes back by itself" nodes_web_killed
  promise "the worker of a run is killed in the middle: another finishes the run, with one version" nodes_worker_killed
  promise "all stopped and started again: everything is there" nodes_restarted
  promise "a backup of the S3 store is restored into docker-compose.yml's data folder" nodes_backup
  restored down -v -t 5 >/dev/null 2>&1 || true
  nodes down -v -t 20 >/dev/null 2>&1 || true
}

node() { nodes ps -q "$1" | sed -n "${2:-1}p"; }

healthy() { # healthy CONTAINER
  for _ in $(seq 180); do
    [[ $(docker inspect -f '{{.State.Health.Status}}' "$1") == healthy ]] && return
    sleep 1
  done
  docker logs --tail 10 "$1"
  return 1
}

nodes_start() {
  nodes up -d && ready "$host" || { nodes logs --no-color --tail 5; return 1; }
  [[ $(nodes ps -q worker | wc -l) == 2 ]] || { echo "$(nodes ps -q worker | wc -l) workers run"; return 1; }
  healthy "$(node web-1)" && healthy "$(node web-2)" && healthy "$(node worker 1)" && healthy "$(node worker 2)"
}

# A second version is published, then the first one again on one node.
nodes_publish() {
  local first_node second_node began
  first_node=http://$(address_of "$(node web-1)"):8080 second_node=http://$(address_of "$(node web-2)"):8080
  start_run && await_run || return 1
  ((version == 2)) || { echo "the second run made version $version"; return 1; }
  host=$first_node api "/models/$model/versions/2/publish" -X POST >/dev/null || return 1
  host=$second_node ask "${first_photographs[-1]}" || return 1
  host=$first_node api "/models/$model/versions/1/publish" -X POST >/dev/null || return 1
  began=$(date +%s%3N)
  for _ in $(seq 50); do
    if [[ $(host=$second_node api "/models/$model/predictions" -H 'Content-Type: image/jpeg' --data-binary "@${first_photographs[-1]}" | jq .version) == 1 ]]; then
      detail="$(($(date +%s%3N) - began)) ms"
      return
    fi
    sleep 0.1
  done
  echo "the other node still answers with another version"
  return 1
}

nodes_session() {
  local first_node second_node token jar=$work/cookies cookie
  first_node=http://$(address_of "$(node web-1)"):8080 second_node=http://$(address_of "$(node web-2)"):8080
  token=$(curl -fsS -c "$jar" "$first_node/signin" | sed -n 's/.*name="__RequestVerificationToken" value="\([^"]*\)".*/\1/p' | head -n 1)
  curl -fsS -b "$jar" -c "$jar" -o /dev/null "$first_node/session" --data-urlencode "key=$key" --data-urlencode "to=/" --data-urlencode "__RequestVerificationToken=$token" || return 1
  cookie=$(awk '$6 == "headstart" { print $7 }' "$jar")
  [[ -n $cookie ]] || { echo "no cookie"; return 1; }
  [[ $(curl -s -o /dev/null -w '%{http_code}' -H "Cookie: headstart=$cookie" "$second_node/") == 200 ]]
}

nodes_metrics() { [[ $(curl -s -o /dev/null -w '%{http_code}' "$host/metrics") == 404 ]]; }

nodes_web_killed() {
  local failed=0 asked
  for asked in $(seq 100); do
    ((asked != 20)) || crash "$(node web-1)" || return 1
    ask "${first_photographs[-1]}" >/dev/null || failed=$((failed + 1))
    sleep 0.05
  done
  echo "$failed of 100 were not answered"
  ((failed == 0)) && healthy "$(node web-1)"
}

nodes_worker_killed() {
  local which worker=
  begin_long_run || return 1
  for which in $(yes $'1\n2' | head -n 60); do # the log is a moment behind; and no grep -q, which would end docker logs with an error
    [[ -z $worker ]] || break
    sleep 0.5
    ! docker logs "$(node worker "$which")" 2>&1 | grep "Training run $run started" || worker=$(node worker "$which")
  done
  [[ -n $worker ]] || { echo "no worker says that it has the run"; return 1; }
  crash "$worker" || return 1
  [[ $(run_state) == running ]] || { echo "the run had ended before"; return 1; }
  await_run && [[ $(api "/models/$model/versions" | jq '.items | length') == 1 ]] && asks_right
}

nodes_restarted() { nodes down -t 40 && nodes up -d && ready "$host" && asks_right; }

nodes_backup() {
  nodes run --rm -T backup && one_restore
}
