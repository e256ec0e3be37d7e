using Headstart.Uploads.Files;

namespace Headstart.Uploads.Formats;

/// <summary>A format in which other tools write down what images show.</summary>
internal interface IAnnotationFormat
{
    /// <summary>As its users call it.</summary>
    string Name { get; }

    /// <summary>
    /// A row for each image, or for each label of an image. It names the image as the tool did: <see cref="ImageNames"/> finds the file.
    /// </summary>
    /// <returns>null if the file is of another format.</returns>
    /// <exception cref="RefusedException">It is of this format and cannot be read, or it does not say for certain what the images
    /// show.</exception>
    IEnumerable<ManifestRow>? Read(Annotation file);
}
