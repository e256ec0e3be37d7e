using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Headstart.Data.Migrations
{
    /// <inheritdoc />
    public partial class SeveralLabels : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "image_labels",
                columns: table => new
                {
                    image_id = table.Column<Guid>(type: "uuid", nullable: false),
                    category_id = table.Column<Guid>(type: "uuid", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_image_labels", x => new { x.image_id, x.category_id });
                    table.ForeignKey(
                        name: "fk_image_labels_categories_category_id",
                        column: x => x.category_id,
                        principalTable: "categories",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_image_labels_images_image_id",
                        column: x => x.image_id,
                        principalTable: "images",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.Sql("INSERT INTO image_labels (image_id, category_id) SELECT id, category_id FROM images");

            migrationBuilder.DropForeignKey(
                name: "fk_images_categories_category_id",
                table: "images");

            migrationBuilder.DropIndex(
                name: "ix_images_category_id_id",
                table: "images");

            migrationBuilder.DropColumn(
                name: "category_id",
                table: "images");

            migrationBuilder.Sql("ALTER TABLE run_images ALTER COLUMN category TYPE text[] USING ARRAY[category]");

            migrationBuilder.RenameColumn(
                name: "category",
                table: "run_images",
                newName: "categories");

            migrationBuilder.CreateIndex(
                name: "ix_images_model_id_id",
                table: "images",
                columns: new[] { "model_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_image_labels_category_id_image_id",
                table: "image_labels",
                columns: new[] { "category_id", "image_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new System.NotSupportedException("An image may have several labels now, which the schema before had no place for.");
    }
}
