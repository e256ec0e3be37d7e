using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>A format in which other tools label images.</summary>
internal interface IAnnotationFormat
{
    /// <summary>The name that its users know.</summary>
    string Name { get; }

    /// <summary>
    /// A row for each image, or for each label of an image. Rows name images as the tool does: <see cref="ImageNames"/> finds the files.
    /// </summary>
    /// <returns>null if the file has another format.</returns>
    /// <exception cref="RefusedException">The file has this format but cannot be read, or it is not certain what the images
    /// show.</exception>
    IEnumerable<ManifestRow>? Read(Annotation file);
}
