namespace Headstart.Images;

/// <param name="Reason">A stable slug, such as <c>damaged</c> or <c>unknown-category</c>.</param>
/// <param name="Detail">What is wrong and what to do.</param>
public sealed record RejectedFile(string? FileName, string Reason, string Detail);
