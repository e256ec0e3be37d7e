using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class RunNotices : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "detail",
                table: "training_runs",
                type: "text",
                nullable: true);

            migrationBuilder.AddColumn<List<string>>(
                name: "notices",
                table: "training_runs",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'"); // of runs made before this
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "detail",
                table: "training_runs");

            migrationBuilder.DropColumn(
                name: "notices",
                table: "training_runs");
        }
    }
}
