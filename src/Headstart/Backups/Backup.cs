namespace Headstart.Backups;

/// <summary>What a backup folder holds; written last, so that a folder without it is no backup.</summary>
/// <param name="Format">Format of this file and the folder.</param>
/// <param name="Headstart">The program that made it.</param>
/// <param name="At">The time of the snapshot.</param>
/// <param name="Database">The dump.</param>
/// <param name="Files">Registered backbones, and the keys that protect cookies.</param>
/// <param name="Blobs">How many the dump refers to.</param>
/// <param name="Imports">How many bodies of imports that had not ended.</param>
/// <param name="Missing">SHA-256 of blobs that were missing or damaged in the store already.</param>
internal sealed record Backup(
    int Format, string Headstart, DateTime At, BackupFile Database, IReadOnlyList<BackupFile> Files, int Blobs, int Imports,
    IReadOnlyList<string> Missing)
{
    public const int CurrentFormat = 1;
}

/// <param name="Path">Below the backup's folder and, but for the dump, below the data folder, with <c>/</c> between.</param>
internal sealed record BackupFile(string Path, string Sha256, long Bytes);
