namespace Headstart.Backups;

/// <summary>Manifest of a backup folder, written last: a folder without it is not a backup.</summary>
/// <param name="Format">Version of the format of this file and the folder.</param>
/// <param name="Headstart">The program that made it.</param>
/// <param name="At">The time of the snapshot.</param>
/// <param name="Database">The dump.</param>
/// <param name="Files">Registered backbones and the data protection keys.</param>
/// <param name="Blobs">Number of blobs that the dump refers to.</param>
/// <param name="Imports">Number of request bodies of unfinished imports.</param>
/// <param name="Missing">SHA-256 of blobs that were already missing or damaged in the store.</param>
internal sealed record Backup(
    int Format, string Headstart, DateTime At, BackupFile Database, IReadOnlyList<BackupFile> Files, int Blobs, int Imports,
    IReadOnlyList<string> Missing)
{
    public const int CurrentFormat = 1;
}

/// <param name="Path">Relative to the backup's folder and, except for the dump, to the data folder; separated by <c>/</c>.</param>
internal sealed record BackupFile(string Path, string Sha256, long Bytes);
