# docker-compose.yml: one node and its database.

restored_listen= # projects_end needs it also where nothing was tried yet

one() { "${compose[@]}" -p headstart-try-one -f docker-compose.yml "$@"; }
restored() { HEADSTART_LISTEN=$restored_listen "${compose[@]}" -p headstart-try-restored -f docker-compose.yml "$@"; }

try_one() {
  one_settings
  promise "docker-compose.yml is valid without a .env" env HEADSTART_ENV_FILE= "${compose[@]}" -f docker-compose.yml config -q
  if [[ -n $before ]]; then
    docker tag "headstart:$before" headstart
    promise "the earlier program ($before) starts and does the main job" one_first
    docker tag headstart:now headstart
    promise "after the upgrade, the earlier model answers the same" one_again
    one down -v -t 20 >/dev/null 2>&1 || true
    key=
  else
    untried "upgrading from the earlier program" "there is none in this clone, or it does not build"
  fi
  promise "it starts from nothing, prints the first key, and does the main job" one_first
  promise "pages are served, with the files that only publishing adds" one_pages
  promise "a setting in the env file reaches the service" one_setting
  promise "killed (SIGKILL) in the middle of a run, it comes back by itself and finishes the run" one_killed
  promise "stopped and started again, it has everything" one_restarted
  promise "a backup is made while it runs" one_backup
  promise "restored into an empty installation, the same key can use the same model" one_restore
  restored down -v -t 5 >/dev/null 2>&1 || true
  promise "an unknown user on a read-only file system without /tmp does the main job" one_stranger
  promise "without a database it stops with one sentence and exit code 1" one_alone
  one down -v -t 20 >/dev/null 2>&1 || true
}

one_settings() {
  local port
  port=$(free_port)
  host=http://127.0.0.1:$port
  restored_listen=127.0.0.1:$(free_port)
  printf 'Headstart__AccessLog=true\nHeadstart__Backbones__Download=false\n' >"$work/settings.env"
  export HEADSTART_LISTEN=127.0.0.1:$port HEADSTART_ENV_FILE=$work/settings.env HEADSTART_DB_PASSWORD=tried HEADSTART_BACKUPS=$work/backups
  export HEADSTART_BACKBONES=${HEADSTART_SHARED:+$HEADSTART_SHARED/backbones}
  HEADSTART_BACKBONES=${HEADSTART_BACKBONES:-$work/backbones}
  mkdir -p "$work/backbones"
  install -d -o 1654 -m 700 "$HEADSTART_BACKUPS"
}

first_key() { one logs --no-color headstart 2>/dev/null | grep -o 'hs_[A-Za-z0-9]*' | tail -n 1; }

one_first() {
  one up -d && ready "$host" || { one logs --no-color --tail 5 headstart; return 1; }
  [[ -n $key ]] || key=$(first_key)
  [[ -n $key ]] || { echo "no key in the log"; return 1; }
  main_job
}

one_again() { one up -d && ready "$host" && asks_right || { one logs --no-color --tail 5 headstart; return 1; }; }

one_pages() {
  local style
  style=$(curl -fsS "$host/signin" | grep -o '_content/MudBlazor[^"]*css') && curl -fsS -o /dev/null "$host/$style"
}

one_setting() { one logs --no-color headstart 2>/dev/null | grep 'GET /signin' | tail -n 1; }

# Kills the container's main process, as a power cut would. A container that does not run has number 0, which would make kill end this script.
crash() {
  local process
  process=$(docker inspect -f '{{.State.Pid}}' "$1") && ((process > 1)) && kill -KILL "$process"
}

one_killed() {
  begin_long_run || return 1
  crash "$(one ps -q headstart)" || return 1 # not docker kill: after that Docker starts nothing again
  sleep 1
  ready "$host" && await_run && [[ $(api "/models/$model/versions" | jq '.items | length') == 1 ]] && asks_right
}

one_restarted() { one down -t 40 && one up -d && ready "$host" && asks_right; }

one_backup() { one run --rm -T backup && [[ -s $HEADSTART_BACKUPS/backup.json ]]; }

one_restore() {
  local host=http://$restored_listen
  restored up -d database && restored run --rm -T backup restore /backups && restored up -d && ready "$host" && asks_right
}

# The image, started as OpenShift starts it.
one_stranger() {
  local host key=hs_stranger000000000000000000000000 status=0
  docker exec "$(one ps -q database)" createdb -U headstart stranger || return 1
  docker run -d --name headstart-try-stranger --read-only -u 12345:0 --network headstart-try-one_default -v headstart-try-stranger:/data \
    -e Headstart__BootstrapKey="$key" -e Headstart__Backbones__Download=false \
    -e "ConnectionStrings__Headstart=Host=database;Database=stranger;Username=headstart;Password=tried;GSS Encryption Mode=Disable" headstart || return 1
  host=http://$(address_of headstart-try-stranger):8080
  { ready "$host" && main_job; } || { docker logs --tail 10 headstart-try-stranger; status=1; }
  stranger_end
  return "$status"
}

stranger_end() {
  docker rm -f headstart-try-stranger >/dev/null 2>&1 || true
  docker volume rm headstart-try-stranger >/dev/null 2>&1 || true
}

address_of() { docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }

one_alone() {
  local status=0
  docker run --rm --network none -e Headstart__Postgres__Download=false headstart >"$work/alone.log" 2>&1 || status=$?
  cat "$work/alone.log"
  ((status == 1)) && [[ $(wc -l <"$work/alone.log") == 1 ]]
}

projects_end() {
  [[ ${#compose[@]} -gt 0 ]] || return 0
  stranger_end
  one down -v -t 5 >/dev/null 2>&1 || true
  restored down -v -t 5 >/dev/null 2>&1 || true
  nodes down -v -t 5 >/dev/null 2>&1 || true
}
