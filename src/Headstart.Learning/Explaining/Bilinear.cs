namespace Headstart.Learning.Explaining;

/// <summary>Interpolation between the centres of the cells of a square grid; constant beyond the outermost centres.</summary>
internal static class Bilinear
{
    /// <summary>Resamples a square grid.</summary>
    /// <param name="grid"><c>[cells, cells]</c></param>
    /// <param name="cells">Cells along each side of the grid.</param>
    /// <param name="side">Cells along each side of the result.</param>
    /// <returns><c>[side, side]</c></returns>
    public static float[] Resize(ReadOnlySpan<float> grid, int cells, int side)
    {
        var steps = new (int Low, int High, float Share)[side];
        for (var i = 0; i < side; i++)
        {
            var place = Math.Clamp((i + 0.5f) * cells / side - 0.5f, 0, cells - 1);
            steps[i] = ((int)place, Math.Min((int)place + 1, cells - 1), place - (int)place);
        }

        var result = new float[side * side];
        for (var y = 0; y < side; y++)
        {
            var top = grid.Slice(steps[y].Low * cells, cells);
            var bottom = grid.Slice(steps[y].High * cells, cells);
            for (var x = 0; x < side; x++)
            {
                var (left, right, share) = steps[x];
                var above = top[left] + (top[right] - top[left]) * share;
                var below = bottom[left] + (bottom[right] - bottom[left]) * share;
                result[y * side + x] = above + (below - above) * steps[y].Share;
            }
        }

        return result;
    }
}
