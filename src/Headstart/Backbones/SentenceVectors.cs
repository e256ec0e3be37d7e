using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Headstart.Data;
using Headstart.Learning;
using Headstart.Learning.Texts;
using Microsoft.EntityFrameworkCore;

namespace Headstart.Backbones;

/// <summary>Texts' vectors from sentence networks, cached in the database as <see cref="FeatureCache"/> caches those of
/// images.</summary>
public sealed class SentenceVectors(IDbContextFactory<HeadstartDb> databases)
{
    private const int AtOnce = 500;

    /// <summary>
    /// Gives the network the vectors of these texts: known ones are read from the database, the others computed on all cores and stored
    /// every few hundred, so that a run that dies here repeats little. Each text passes through the network alone, without padding.
    /// </summary>
    /// <exception cref="TextFeaturesException">The network or its vocabulary cannot be used.</exception>
    public async Task BringAsync(RegisteredText network, IEnumerable<string> texts, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(network);
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var chunk in texts.Distinct().Chunk(AtOnce))
        {
            var shas = chunk.ToDictionary(text => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
            byte[][] keys = [.. shas.Keys.Select(Convert.FromHexString)];
            var known = db.FeatureVectors.AsNoTracking().Where(v => v.Space == network.FeatureSpace && keys.Contains(v.Sha256));
            foreach (var row in await known.ToListAsync(cancel))
            {
                var sha = Convert.ToHexString(row.Sha256);
                if (network.Remember(shas[sha], MemoryMarshal.Cast<byte, float>(row.Values).ToArray()))
                {
                    shas.Remove(sha);
                }
            }

            KeyValuePair<string, string>[] missing = [.. shas];
            var made = new (byte[] Sha256, byte[] Values)[missing.Length];
            await Task.Run(() => AllCores.For(missing.Length, i => made[i] = (Convert.FromHexString(missing[i].Key),
                MemoryMarshal.AsBytes(network.Encode(missing[i].Value).AsSpan()).ToArray()), cancel), cancel);
            await FeatureCache.KeepAsync(db, network.FeatureSpace, made, cancel);
        }
    }
}
