using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class ImageOrigins : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "origin",
                table: "images",
                type: "jsonb",
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "origin",
                table: "images");
        }
    }
}
