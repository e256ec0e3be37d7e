using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class BatchContents : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "bytes",
                table: "batch_predictions",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<string>(
                name: "text",
                table: "batch_items",
                type: "text",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "bytes",
                table: "batch_predictions");

            migrationBuilder.DropColumn(
                name: "text",
                table: "batch_items");
        }
    }
}
