using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class CompanyAccounts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "example_bytes",
                table: "models",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "examples",
                table: "models",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<DateTime>(
                name: "expires_at",
                table: "api_keys",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.AddColumn<string[]>(
                name: "scopes",
                table: "api_keys",
                type: "text[]",
                nullable: false,
                defaultValue: new string[0]);

            migrationBuilder.Sql("""
                UPDATE api_keys SET scopes = CASE WHEN is_admin THEN ARRAY['Read', 'Predict', 'Write', 'Admin'] ELSE ARRAY['Read', 'Predict', 'Write'] END
                """);

            migrationBuilder.DropColumn(
                name: "is_admin",
                table: "api_keys");

            migrationBuilder.AddColumn<bool>(
                name: "is_operator",
                table: "accounts",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.Sql("UPDATE accounts SET is_operator = true WHERE id = (SELECT id FROM accounts ORDER BY id LIMIT 1)");

            migrationBuilder.AddColumn<long>(
                name: "quotas_bytes",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "quotas_concurrent_runs",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "quotas_images",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "quotas_models",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "quotas_predictions_per_day",
                table: "accounts",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "audit_entries",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    account_id = table.Column<Guid>(type: "uuid", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    key_name = table.Column<string>(type: "text", nullable: false),
                    operation = table.Column<string>(type: "text", nullable: false),
                    subjects = table.Column<string>(type: "jsonb", nullable: false),
                    status = table.Column<int>(type: "integer", nullable: true),
                    address = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_entries", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_account_id_id",
                table: "audit_entries",
                columns: new[] { "account_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_audit_entries_at",
                table: "audit_entries",
                column: "at");

            // Quotas ask how many examples an account has at every upload, so nobody counts them then: whoever adds or deletes some moves
            // the counts in the same transaction. A model that is deleted takes its counts with it.
            migrationBuilder.Sql("""
                UPDATE models SET examples = stored.examples, example_bytes = stored.bytes
                FROM (SELECT model_id, count(*) AS examples, sum(bytes) AS bytes FROM images GROUP BY model_id) AS stored
                WHERE models.id = stored.model_id;

                CREATE FUNCTION count_examples() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE
                    sign int := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
                BEGIN
                    UPDATE models SET examples = models.examples + sign * more.examples, example_bytes = models.example_bytes + sign * more.bytes
                    FROM (SELECT model_id, count(*) AS examples, sum(bytes) AS bytes FROM changed GROUP BY model_id) AS more
                    WHERE models.id = more.model_id;
                    RETURN NULL;
                END $$;

                CREATE TRIGGER count_examples_in AFTER INSERT ON images REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_examples();
                CREATE TRIGGER count_examples_out AFTER DELETE ON images REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_examples();
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER count_examples_in ON images; DROP TRIGGER count_examples_out ON images; DROP FUNCTION count_examples();");

            migrationBuilder.DropTable(
                name: "audit_entries");

            migrationBuilder.DropColumn(
                name: "example_bytes",
                table: "models");

            migrationBuilder.DropColumn(
                name: "examples",
                table: "models");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "scopes",
                table: "api_keys");

            migrationBuilder.DropColumn(
                name: "is_operator",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "quotas_bytes",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "quotas_concurrent_runs",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "quotas_images",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "quotas_models",
                table: "accounts");

            migrationBuilder.DropColumn(
                name: "quotas_predictions_per_day",
                table: "accounts");

            migrationBuilder.AddColumn<bool>(
                name: "is_admin",
                table: "api_keys",
                type: "boolean",
                nullable: false,
                defaultValue: false);
        }
    }
}
