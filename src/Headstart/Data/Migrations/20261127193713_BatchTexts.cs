using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class BatchTexts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
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
                name: "text",
                table: "batch_items");
        }
    }
}
