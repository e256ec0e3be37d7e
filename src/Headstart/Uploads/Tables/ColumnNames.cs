namespace Headstart.Uploads.Tables;

/// <summary>What a column of a table contains.</summary>
internal enum Column
{
    File,
    Url,
    Category,
    Split,
    Text,
}

/// <summary>
/// Header words for the columns of a table, in the languages of users' spreadsheets. Case, blanks, hyphens and underscores do not
/// matter.
/// </summary>
internal static class ColumnNames
{
    private static readonly Dictionary<Column, string[]> Words = new()
    {
        [Column.File] =
        [
            "file", "filename", "filepath", "image", "imagefile", "imagename", "imagepath", "picture", "photo", "path",
            "datei", "dateiname", "dateipfad", "bild", "bildname", "bilddatei", "foto", // German
            "fichier", "nomdufichier", "nomdefichier", "nomfichier", "chemin", // French
            "archivo", "nombredearchivo", "nombredelarchivo", "nombrearchivo", "fichero", "imagen", "ruta", // Spanish
            "nomefile", "nomedelfile", "immagine", "percorso", // Italian
            "arquivo", "nomedoarquivo", "ficheiro", "nomedoficheiro", "imagem", "caminho", // Portuguese
            "bestand", "bestandsnaam", "afbeelding", // Dutch
            "plik", "nazwapliku", "obraz", "zdjęcie", "ścieżka", // Polish
            "soubor", "názevsouboru", "obrázek", "fájl", "fájlnév", // Czech, Hungarian
            "fil", "filnamn", "filnavn", "dosya", "dosyaadı", // Nordic, Turkish
            "файл", "имяфайла", "изображение", // Russian
            "ファイル", "ファイル名", "画像", "文件", "文件名", "图片", "图像", "檔案", "檔名", "圖片", "파일", "파일명", "파일이름", "이미지",
        ],
        [Column.Url] = ["url", "imageurl", "link", "uri", "address", "adresse", "enlace", "lien", "адрес", "链接", "リンク"],
        [Column.Category] =
        [
            "category", "categories", "label", "labels", "class", "classes", "classname", "tag", "tags",
            "kategorie", "kategorien", "klasse", "klassen", "rubrik", "etikett", // German, Dutch
            "catégorie", "catégories", "classe", "étiquette", "étiquettes", // French
            "categoría", "categorías", "clase", "clases", "etiqueta", "etiquetas", // Spanish
            "categoria", "categorie", "etichetta", "classi", // Italian
            "categorias", "rótulo", "categorieën", "kategoria", "klasa", "etykieta", // Portuguese, Dutch, Polish
            "kategori", "třída", "kategória", "osztály", "sınıf", "etiket", // Nordic, Turkish, Czech, Hungarian
            "категория", "категории", "класс", "метка", "категорія", "клас",
            "カテゴリ", "カテゴリー", "分類", "クラス", "ラベル", "类别", "类", "分类", "标签", "類別", "標籤", "카테고리", "분류", "범주", "라벨",
        ],
        [Column.Split] =
        [
            "split", "side", "subset", "partition", "teil", "aufteilung", "datensatz", "partición", "partição", "ensemble", "zbiór",
            "выборка",
        ],
        [Column.Text] =
        [
            "text", "texts", "sentence", "message", "content", "nachricht", "satz", "inhalt", "texte", "phrase", "contenu", "texto",
            "mensaje", "frase", "contenido", "testo", "messaggio", "mensagem", "conteúdo", "tekst", "bericht", "zin", "wiadomość", "treść",
            "zdanie", "meddelande", "szöveg", "metin", "текст", "сообщение", "テキスト", "本文", "文章", "文本", "内容", "文字", "텍스트",
            "내용", "문장",
        ],
    };

    private static readonly Dictionary<string, Column> Columns = Words
        .SelectMany(pair => pair.Value.Select(word => (Word: Key(word), pair.Key))).DistinctBy(pair => pair.Word)
        .ToDictionary(pair => pair.Word, pair => pair.Key);

    /// <summary>The position of each known column in the header; the first one if there are several of a kind.</summary>
    public static Dictionary<Column, int> Find(IReadOnlyList<string> header)
    {
        var found = new Dictionary<Column, int>();
        for (var i = 0; i < header.Count; i++)
        {
            if (Columns.TryGetValue(Key(header[i]), out var column))
            {
                found.TryAdd(column, i);
            }
        }

        return found;
    }

    /// <summary>What a column with this name contains; null if unknown.</summary>
    public static Column? Of(string name) => Columns.TryGetValue(Key(name), out var column) ? column : null;

    /// <summary>Why a table with two category columns is refused; null if it has at most one.</summary>
    /// <param name="header">Its first row.</param>
    public static string? TwoCategories(IReadOnlyList<string> header) =>
        header.Where(name => Columns.TryGetValue(Key(name), out var column) && column == Column.Category).ToList()
            is [var one, var other, ..] ? $"The table has two columns for categories, \"{RequestBodies.Readable(one)}\" and \"{RequestBodies.Readable(other)}\", so it is not "
                + "certain which one counts; remove the other." : null;

    /// <summary>Why a table is refused whose header names no known columns.</summary>
    /// <param name="wanted">Expected columns, such as <c>file,category</c>.</param>
    /// <param name="header">Its first row.</param>
    public static string Unknown(string wanted, IReadOnlyList<string> header) =>
        $"The first row of the table must name its columns, such as {wanted}; words in other languages, such as Datei;Kategorie or "
            + $"fichier;catégorie, are known too. The first row is \"{RequestBodies.Readable(string.Join(',', header))}\".";

    private static string Key(string name) =>
        string.Concat(name.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '-' or '\uFEFF'))).ToLowerInvariant();
}
