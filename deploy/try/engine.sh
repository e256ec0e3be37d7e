# The required programs, and a container engine: the machine's own if it runs, otherwise one with its own socket and folder.

need() { # need PROGRAM PACKAGE…: installs what is missing
  local missing=() program package
  while (($#)); do
    program=$1 package=$2
    shift 2
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 \
    || { tail -n 5 "$work/apt.log"; stop "${missing[*]} could not be installed"; }
}

engine_start() {
  if docker info >/dev/null 2>&1; then
    say "using the engine that runs on this machine"
    return
  fi

  mkdir -p "$root" "$work/exec"
  export DOCKER_HOST=unix://$work/docker.sock
  # In its own session, so that Ctrl-C reaches only this script, which still needs the engine to clean up.
  PATH=$PATH:/usr/sbin:/sbin setsid dockerd --data-root "$root/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" -H "$DOCKER_HOST" >"$work/engine.log" 2>&1 &
  engine=$!
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$engine" 2>/dev/null || break
    sleep 1
  done
  tail -n 5 "$work/engine.log"
  stop "the container engine did not start"
}

engine_stop() {
  [[ -n $engine ]] || return 0
  kill -TERM "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  engine=
  umount "$work"/exec/netns/* 2>/dev/null || true
  $keep || rm -rf "$root"
}

# The compose plugin (v2) if installed, otherwise Debian's docker-compose (1.29). COMPOSE names another.
compose_find() {
  if [[ -n ${COMPOSE:-} ]]; then
    read -ra compose <<<"$COMPOSE"
  elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  else
    need docker-compose docker-compose
    compose=(docker-compose)
  fi
  docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
  say "compose is $("${compose[@]}" version --short 2>/dev/null)"
}
