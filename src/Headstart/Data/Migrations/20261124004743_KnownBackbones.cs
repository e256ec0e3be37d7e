using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class KnownBackbones : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<List<string>>(
                name: "known_backbones",
                table: "model_versions",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'"); // of versions made before this: every backbone is news to them
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "known_backbones",
                table: "model_versions");
        }
    }
}
