# The base images. One that cannot be pulled is replaced by a stand-in of the same name: Debian, with this machine's .NET or Debian's packages.
# Stand-ins have the names, users, variables and start commands of the real ones that our files rely on, and a label that marks them.

readonly suite=trixie # its C library and libstdc++ are the ones nearest to those of the real images
standins=()

base_images() {
  pull_or mcr.microsoft.com/dotnet/sdk:10.0-noble standin_sdk
  pull_or mcr.microsoft.com/dotnet/aspnet:10.0-noble standin_aspnet
  pull_or postgres:17 standin_postgres
  pull_or nginx:1.28 standin_nginx
  pull_or versity/versitygw:v1.8.0 standin_s3
  pull_or amazon/aws-cli:2.31.0 standin_aws
}

pull_or() { # pull_or IMAGE FUNCTION
  if [[ -z $(docker image ls -q "$1") ]] && ! timeout 900 docker pull -q "$1" >/dev/null 2>"$work/pull.log"; then
    # In the machine's own engine, others would mistake them for the real ones.
    [[ -n $engine ]] || stop "$1 cannot be pulled ($(tail -n 1 "$work/pull.log")); stop the engine that runs here, and one of this script's own makes stand-ins"
    say "making a stand-in for $1"
    "$2" "$1" >"$work/standin.log" 2>&1 || { tail -n 20 "$work/standin.log"; stop "no stand-in for $1 could be made"; }
  fi
  [[ -z $(docker image inspect -f '{{index .Config.Labels "headstart.standin"}}' "$1") ]] || standins+=("$1")
}

debian() {
  [[ -z $(docker image ls -q headstart-try-debian) ]] || return 0
  need debootstrap debootstrap
  debootstrap --variant=minbase --include=ca-certificates,libicu76,libssl3t64,libstdc++6,tzdata "$suite" "$work/debian"
  # Behind a proxy with its own certificates, package sources need these.
  cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$work"/debian/var/cache/apt/archives/*.deb
  tar -C "$work/debian" -c . | docker import - headstart-try-debian
  rm -rf "$work/debian"
}

standin() { # standin IMAGE FOLDER: a Dockerfile on standard input, with FOLDER as what it copies from
  debian
  { cat; echo "LABEL headstart.standin=true"; } >"$work/Dockerfile"
  tar -C "$2" -c . --transform 's,^\.,context,' -C "$work" Dockerfile | docker build --network host -t "$1" -
}

dotnet_folder() { dirname "$(readlink -f "$(command -v dotnet)")"; }

standin_sdk() {
  local config=$work/sdk
  mkdir -p "$config/nuget"
  cp ~/.nuget/NuGet/NuGet.Config "$config/nuget/" 2>/dev/null || true
  cp -rl "$(dotnet_folder)" "$config/dotnet" 2>/dev/null || cp -r "$(dotnet_folder)" "$config/dotnet"
  standin "$1" "$config" <<END
FROM headstart-try-debian
COPY context/dotnet /usr/share/dotnet
COPY context/nuget /root/.nuget/NuGet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_NOLOGO=true NUGET_XMLDOC_MODE=skip NUGET_CERT_REVOCATION_MODE=${NUGET_CERT_REVOCATION_MODE:-online}
END
  rm -rf "$config"
}

standin_aspnet() {
  local runtime=$work/runtime version
  version=$(dotnet --list-runtimes | sed -n 's/^Microsoft.AspNetCore.App \(10[^ ]*\).*/\1/p' | tail -n 1)
  mkdir -p "$runtime"
  (cd "$(dotnet_folder)" && cp -r --parents dotnet host "shared/Microsoft.NETCore.App/$version" "shared/Microsoft.AspNetCore.App/$version" "$runtime")
  standin "$1" "$runtime" <<END
FROM headstart-try-debian
COPY context /usr/share/dotnet
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet && groupadd --gid 1654 app && useradd --uid 1654 --gid 1654 --create-home app
ENV APP_UID=1654 ASPNETCORE_HTTP_PORTS=8080 DOTNET_RUNNING_IN_CONTAINER=true DOTNET_VERSION=$version ASPNET_VERSION=$version
END
  rm -rf "$runtime"
}

standin_postgres() {
  mkdir -p "$work/postgres"
  cp "$here/try/postgres-entrypoint" "$work/postgres/docker-entrypoint.sh"
  standin "$1" "$work/postgres" <<'END'
FROM headstart-try-debian
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
 && apt-get update && mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
 && apt-get install -y --no-install-recommends postgresql-17 && rm -rf /var/lib/apt/lists \
 && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
COPY context/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN chmod 755 /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin PGDATA=/var/lib/postgresql/data PG_MAJOR=17 LANG=C.UTF-8
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
END
}

standin_nginx() {
  mkdir -p "$work/empty"
  standin "$1" "$work/empty" <<'END'
FROM headstart-try-debian
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light && rm -rf /var/lib/apt/lists
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
}

# s3rver does not check signatures. Its only access key comes from the same variables as in the real image.
standin_s3() {
  need npm npm
  mkdir -p "$work/s3"
  cp "$here"/../tests/Headstart.Tests/Blobs/S3Server/* "$work/s3"
  (cd "$work/s3" && npm ci --ignore-scripts --no-audit --no-fund \
    && sed -i "s/'127.0.0.1'/'0.0.0.0'/; s/, configureBuckets: [^]]*\]/, vhostBuckets: false/" server.mjs \
    && sed -i "s/createKeyPair('S3RVER', 'S3RVER')/createKeyPair(process.env.ROOT_ACCESS_KEY, process.env.ROOT_SECRET_KEY)/" node_modules/s3rver/lib/models/account.js)
  standin "$1" "$work/s3" <<'END'
FROM headstart-try-debian
RUN apt-get update && apt-get install -y --no-install-recommends nodejs && rm -rf /var/lib/apt/lists
COPY context /srv
CMD ["sh", "-c", "exec node --openssl-legacy-provider /srv/server.mjs $VGW_BACKEND_ARG ${VGW_PORT#:}"]
END
}

standin_aws() {
  mkdir -p "$work/empty"
  standin "$1" "$work/empty" <<'END'
FROM headstart-try-debian
RUN apt-get update && apt-get install -y --no-install-recommends awscli && rm -rf /var/lib/apt/lists
ENTRYPOINT ["aws"]
END
}
